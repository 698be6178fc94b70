/*
 * page_map.c
 *	  The page table of a table of blocks.
 *
 * Locks: a look-up takes the leaf's share lock for a moment.  Adopting waits
 * for the metapage, the forward leaf and the reverse leaf, in this order,
 * exclusively.  Nobody waits for a row page's lock while holding one of these.
 */
#include "postgres.h"

#include "store/page_map.h"

#include "access/generic_xlog.h"
#include "access/xloginsert.h"
#include "core/rules.h"
#include "disk/io_events.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "storage/smgr.h"
#include "store/engine_page.h"
#include "store/map_tree.h"
#include "store/map_wal.h"
#include "store/watched_read.h"
#include "store/work_notes.h"

bool		rdb_shuffle_blocks = false;

static void
init_meta(char *page)
{
	RdbTableMeta *meta = rdb_engine_init(page, RDB_ENGINE_META, RDB_META_VERSION);

	meta->relation_kind = RDB_RELATION_COLUMNAR;
}

/*
 * Write the metapage of a relation whose fork has just been made and is
 * empty.  It does not go through shared buffers: the caller syncs the fork.
 */
void
rdb_map_create(SMgrRelation smgr, const RdbLocator *locator, ForkNumber fork,
			   bool logged)
{
	RdbIoAlignedBlock page;

	init_meta(page.data);
	if (logged)
		log_newpage(unconstify(RdbLocator *, locator), fork, RDB_META_BLOCK,
					page.data, true);
	PageSetChecksumInplace((Page) page.data, RDB_META_BLOCK);
	smgrextend(smgr, fork, RDB_META_BLOCK, page.data, true);
}

/* Forget all blocks.  Caller holds AccessExclusiveLock and truncates the rest. */
void
rdb_map_reset(Relation rel)
{
	Buffer		buffer = rdb_map_read_meta(rel);
	GenericXLogState *wal;

	LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
	wal = GenericXLogStart(rel);
	init_meta((char *) GenericXLogRegisterBuffer(wal, buffer, GENERIC_XLOG_FULL_IMAGE));
	GenericXLogFinish(wal);
	UnlockReleaseBuffer(buffer);
	rdb_map_forget(rel);
}

/* ---- looking up ---- */

void
rdb_map_unpin(RdbMapPin *pin)
{
	if (BufferIsValid(pin->buffer))
		ReleaseBuffer(pin->buffer);
	pin->buffer = InvalidBuffer;
	pin->missing = false;
}

/* Have the block's leaf pinned; false when there is none. */
static bool
pin_leaf(Relation rel, BlockNumber block, RdbMapPin *pin)
{
	uint32		leaf = rdb_map_leaf_of(RDB_MAP_FORWARD, block);

	if (pin->leaf == leaf && (BufferIsValid(pin->buffer) || pin->missing))
		return !pin->missing;
	rdb_map_unpin(pin);
	pin->buffer = rdb_map_read_leaf(rel, RDB_MAP_FORWARD, leaf);
	pin->leaf = leaf;
	pin->missing = pin->of_scan && !BufferIsValid(pin->buffer);
	return BufferIsValid(pin->buffer);
}

/* What a block is now.  The pin keeps the leaf for the next look-up. */
RdbMapEntry
rdb_map_entry(Relation rel, BlockNumber block, RdbMapPin *pin)
{
	RdbMapEntry entry;

	if (!pin_leaf(rel, block, pin))
		return RdbEntryMake(RDB_ENTRY_NONE, 0);
	LockBuffer(pin->buffer, BUFFER_LOCK_SHARE);
	entry = *rdb_map_forward_slot(BufferGetPage(pin->buffer), block);
	LockBuffer(pin->buffer, BUFFER_LOCK_UNLOCK);
	return entry;
}

/* The same of a block and its neighbours behind it, up to n of them, at least one; returns
 * of how many. */
uint32
rdb_map_entries(Relation rel, BlockNumber block, uint32 n, RdbMapPin *pin, RdbMapEntry *entries)
{
	n = Min(n, rdb_map_slots_left(RDB_MAP_FORWARD, block));
	if (!pin_leaf(rel, block, pin))
	{
		memset(entries, 0, n * sizeof(RdbMapEntry));
		return n;
	}
	LockBuffer(pin->buffer, BUFFER_LOCK_SHARE);
	memcpy(entries, rdb_map_forward_slot(BufferGetPage(pin->buffer), block), n * sizeof(RdbMapEntry));
	LockBuffer(pin->buffer, BUFFER_LOCK_UNLOCK);
	return n;
}

/*
 * What it was a moment ago, which somebody may be changing.  Whoever has heard of
 * the block, or of so many blocks, has heard of it under a lock that was taken
 * after the entry was made.
 */
static RdbMapEntry
glance(Relation rel, BlockNumber block, RdbMapPin *pin)
{
#ifdef PG_HAVE_8BYTE_SINGLE_COPY_ATOMICITY
	if (!pin_leaf(rel, block, pin))
		return RdbEntryMake(RDB_ENTRY_NONE, 0);
	return *(volatile RdbMapEntry *) rdb_map_forward_slot(BufferGetPage(pin->buffer), block);
#else
	return rdb_map_entry(rel, block, pin);
#endif
}

/* The block that a page holds the rows of; InvalidBlockNumber if none. */
BlockNumber
rdb_map_block_of(Relation rel, BlockNumber page)
{
	Buffer		leaf = rdb_map_read_leaf(rel, RDB_MAP_REVERSE,
										 rdb_map_leaf_of(RDB_MAP_REVERSE, page));
	uint32		block;

	if (!BufferIsValid(leaf))
		return InvalidBlockNumber;
	LockBuffer(leaf, BUFFER_LOCK_SHARE);
	block = *rdb_map_reverse_slot(BufferGetPage(leaf), page);
	UnlockReleaseBuffer(leaf);
	return block == 0 ? InvalidBlockNumber : block - 1;
}

/* What the metapage counts. */
static void
read_counts(Relation rel, BlockNumber *nblocks, uint32 *shuffled)
{
	Buffer		meta = rdb_map_read_meta(rel);

	LockBuffer(meta, BUFFER_LOCK_SHARE);
	*nblocks = RdbTableMetaOf(meta)->nblocks;
	*shuffled = RdbTableMetaOf(meta)->shuffled;
	UnlockReleaseBuffer(meta);
}

/* How many blocks there are: those of all rows that were ever handed out. */
BlockNumber
rdb_map_nblocks(Relation rel)
{
	BlockNumber nblocks;
	uint32		shuffled;

	read_counts(rel, &nblocks, &shuffled);
	return nblocks;
}

/* Whether there are fewer pages than block numbers. */
bool
rdb_map_is_shuffled(Relation rel)
{
	BlockNumber nblocks;
	uint32		shuffled;

	read_counts(rel, &nblocks, &shuffled);
	return shuffled > 0;
}

/*
 * The page that holds the block's rows, pinned; InvalidBuffer when there is no
 * such block, or it is in a group.  Looked up, pinned, and looked up again: from
 * then on the pin keeps it what it is.  *entry is what the block is.
 *
 * What is in a group needs no pin: a group is not written over before all snapshots
 * that are as old have gone, and the caller's is older than this look.
 */
Buffer
rdb_map_pin_rows(Relation rel, BlockNumber block, RdbMapPin *pin,
				 BufferAccessStrategy strategy, RdbMapEntry *entry)
{
	for (;;)
	{
		Buffer		buffer;

		*entry = glance(rel, block, pin);
		if (RdbEntryGetKind(*entry) != RDB_ENTRY_ROWS)
			return InvalidBuffer;
		rdb_race_window();
		buffer = rdb_watched_read(rel, RdbEntryGetPage(*entry), strategy);
		if (!rdb_rule(RDB_RULE_SECOND_LOOK) || rdb_map_entry(rel, block, pin) == *entry)
			return buffer;
		ReleaseBuffer(buffer);
		CHECK_FOR_INTERRUPTS();
	}
}

/* ---- adopting ---- */

static Buffer
read_or_grow(Relation rel, RdbMapTree tree, uint32 leaf)
{
	for (;;)
	{
		Buffer		buffer = rdb_map_read_leaf(rel, tree, leaf);

		if (BufferIsValid(buffer))
			return buffer;
		rdb_map_grow(rel, tree, leaf);
	}
}

static void
release(const Buffer *buffers)
{
	for (int role = 0; role < RDB_NROLES; role++)
		ReleaseBuffer(buffers[role]);
}

/* Lock the leaves, after the metapage; a leaf may be the metapage. */
static void
lock_leaves(const Buffer *buffers)
{
	for (int role = RDB_ROLE_FORWARD; role < RDB_NROLES; role++)
	{
		if (buffers[role] != buffers[RDB_ROLE_META])
			LockBuffer(buffers[role], BUFFER_LOCK_EXCLUSIVE);
	}
}

static void
unlock_all(const Buffer *buffers)
{
	for (int role = RDB_NROLES - 1; role > RDB_ROLE_META; role--)
	{
		if (buffers[role] != buffers[RDB_ROLE_META])
			LockBuffer(buffers[role], BUFFER_LOCK_UNLOCK);
	}
	LockBuffer(buffers[RDB_ROLE_META], BUFFER_LOCK_UNLOCK);
}

/* For tests: numbers beyond the first segment file, none in order. */
#define SHUFFLE_BASE (RELSEG_SIZE + RELSEG_SIZE / 8)
#define SHUFFLE_GROUP 64

static BlockNumber
shuffled_block(uint32 n)
{
	return SHUFFLE_BASE + n - n % SHUFFLE_GROUP + (n * 29 + 17) % SHUFFLE_GROUP;
}

static BlockNumber
next_block(BlockNumber nblocks, uint32 shuffled)
{
	if (shuffled > 0 || (rdb_shuffle_blocks && nblocks == 0))
		return shuffled_block(shuffled);
	return nblocks;
}

/*
 * Pin what adopting a page needs and lock the metapage, which then says what
 * the next block is; its leaf must be the one that was pinned.  *adopt is filled
 * in for one page.
 */
static void
prepare(Relation rel, BlockNumber page, Buffer *buffers, RdbXlogAdopt *adopt)
{
	for (;;)
	{
		const RdbTableMeta *meta;
		BlockNumber nblocks;
		uint32		shuffled;
		uint32		leaf;

		read_counts(rel, &nblocks, &shuffled);
		if (nblocks >= MaxBlockNumber - 1)
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("cannot extend table \"%s\" beyond %u blocks",
							RelationGetRelationName(rel), nblocks)));
		leaf = rdb_map_leaf_of(RDB_MAP_FORWARD, next_block(nblocks, shuffled));
		buffers[RDB_ROLE_FORWARD] = read_or_grow(rel, RDB_MAP_FORWARD, leaf);
		buffers[RDB_ROLE_REVERSE] = read_or_grow(rel, RDB_MAP_REVERSE,
												 rdb_map_leaf_of(RDB_MAP_REVERSE, page));
		buffers[RDB_ROLE_META] = rdb_map_read_meta(rel);
		LockBuffer(buffers[RDB_ROLE_META], BUFFER_LOCK_EXCLUSIVE);
		meta = RdbTableMetaOf(buffers[RDB_ROLE_META]);
		adopt->block = next_block(meta->nblocks, meta->shuffled);
		adopt->page = page;
		adopt->count = 1;
		adopt->nblocks = Max(meta->nblocks, adopt->block + 1);
		adopt->shuffled = adopt->block == meta->nblocks ? meta->shuffled : meta->shuffled + 1;
		if (rdb_map_leaf_of(RDB_MAP_FORWARD, adopt->block) == leaf)
			return;
		LockBuffer(buffers[RDB_ROLE_META], BUFFER_LOCK_UNLOCK);
		release(buffers);
	}
}

/* All are locked: give the pages their blocks. */
static void
change(Relation rel, const Buffer *buffers, const RdbXlogAdopt *adopt)
{
	START_CRIT_SECTION();
	for (int role = 0; role < RDB_NROLES; role++)
	{
		rdb_map_apply_adopt(BufferGetPage(buffers[role]), role, adopt);
		MarkBufferDirty(buffers[role]);
	}
	if (RelationNeedsWAL(rel))
		rdb_map_log_adopt(buffers, adopt);
	END_CRIT_SECTION();
}

/*
 * The block of a page to which heap's code has just added a row: the page's
 * own, or, if it has none, the next one.  Several sessions may come with the
 * same page; the first one gives it its block.
 */
BlockNumber
rdb_map_adopt(Relation rel, BlockNumber page)
{
	BlockNumber block = rdb_map_block_of(rel, page);
	RdbXlogAdopt adopt;
	Buffer		buffers[RDB_NROLES];
	uint32		taken;

	if (block != InvalidBlockNumber)
		return block;
	prepare(rel, page, buffers, &adopt);
	block = adopt.block;
	lock_leaves(buffers);
	taken = *rdb_map_reverse_slot(BufferGetPage(buffers[RDB_ROLE_REVERSE]), page);
	if (taken != 0)
		block = taken - 1;
	else
		change(rel, buffers, &adopt);
	unlock_all(buffers);
	release(buffers);
	if (taken == 0)
	{
		rdb_io_page_allocated(rel, block);
		rdb_work_note(rel);
	}
	return block;
}

/* As many neighbours as one record can take. */
static uint32
run_of(BlockNumber block, BlockNumber page, BlockNumber end)
{
	uint32		run = end - page;

	run = Min(run, rdb_map_slots_left(RDB_MAP_FORWARD, block));
	return Min(run, rdb_map_slots_left(RDB_MAP_REVERSE, page));
}

/*
 * Adopt all pages of a new file, in order: it has a metapage and row pages, and
 * no page of the page table.  Caller holds AccessExclusiveLock.
 */
void
rdb_map_adopt_all(Relation rel)
{
	BlockNumber end = RelationGetNumberOfBlocks(rel);

	for (BlockNumber page = RDB_META_BLOCK + 1; page < end;)
	{
		Buffer		buffers[RDB_NROLES];
		RdbXlogAdopt adopt;

		prepare(rel, page, buffers, &adopt);
		if (adopt.shuffled == 0)
		{
			adopt.count = run_of(adopt.block, page, end);
			adopt.nblocks = adopt.block + adopt.count;
		}
		lock_leaves(buffers);
		change(rel, buffers, &adopt);
		unlock_all(buffers);
		release(buffers);
		page += adopt.count;
		CHECK_FOR_INTERRUPTS();
	}
	rdb_work_note(rel);
}

/*
 * Take one block off the table, which has nblocks then.  Caller holds
 * AccessExclusiveLock.
 */
void
rdb_map_unmap(Relation rel, BlockNumber page, BlockNumber block, BlockNumber nblocks)
{
	RdbXlogUnmap unmap = {block, page, nblocks};
	Buffer		buffers[RDB_NROLES];

	buffers[RDB_ROLE_FORWARD] = rdb_map_read_leaf(rel, RDB_MAP_FORWARD,
												  rdb_map_leaf_of(RDB_MAP_FORWARD, block));
	buffers[RDB_ROLE_REVERSE] = rdb_map_read_leaf(rel, RDB_MAP_REVERSE,
												  rdb_map_leaf_of(RDB_MAP_REVERSE, page));
	buffers[RDB_ROLE_META] = rdb_map_read_meta(rel);
	LockBuffer(buffers[RDB_ROLE_META], BUFFER_LOCK_EXCLUSIVE);
	lock_leaves(buffers);
	START_CRIT_SECTION();
	for (int role = 0; role < RDB_NROLES; role++)
	{
		rdb_map_apply_unmap(BufferGetPage(buffers[role]), role, &unmap);
		MarkBufferDirty(buffers[role]);
	}
	if (RelationNeedsWAL(rel))
		rdb_map_log_unmap(buffers, &unmap);
	END_CRIT_SECTION();
	unlock_all(buffers);
	release(buffers);
}

/* The table has so many blocks: those behind are nowhere.  Caller holds
 * AccessExclusiveLock. */
void
rdb_map_shrink(Relation rel, BlockNumber nblocks)
{
	Buffer		buffer = rdb_map_read_meta(rel);
	GenericXLogState *wal;
	RdbTableMeta *meta;

	LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
	wal = GenericXLogStart(rel);
	meta = RdbEngineArea(GenericXLogRegisterBuffer(wal, buffer, 0));
	meta->nblocks = nblocks;
	GenericXLogFinish(wal);
	UnlockReleaseBuffer(buffer);
}
