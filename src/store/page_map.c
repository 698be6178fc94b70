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
#include "disk/io_events.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "storage/smgr.h"
#include "store/engine_page.h"
#include "store/map_tree.h"
#include "store/map_wal.h"

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
	PGAlignedBlock page;

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
}

/* What a block is now.  The pin keeps the leaf for the next look-up. */
RdbMapEntry
rdb_map_entry(Relation rel, BlockNumber block, RdbMapPin *pin)
{
	uint32		leaf = block / RDB_FORWARD_SLOTS;
	RdbMapEntry entry;

	if (!BufferIsValid(pin->buffer) || pin->leaf != leaf)
	{
		rdb_map_unpin(pin);
		pin->buffer = rdb_map_read_leaf(rel, RDB_MAP_FORWARD, leaf);
		pin->leaf = leaf;
		if (!BufferIsValid(pin->buffer))
			return RdbEntryMake(RDB_ENTRY_NONE, 0);
	}
	LockBuffer(pin->buffer, BUFFER_LOCK_SHARE);
	entry = RdbForwardSlots(RdbMapPageOf(pin->buffer))[block % RDB_FORWARD_SLOTS];
	LockBuffer(pin->buffer, BUFFER_LOCK_UNLOCK);
	return entry;
}

/* The block that a page holds the rows of; InvalidBlockNumber if none. */
BlockNumber
rdb_map_block_of(Relation rel, BlockNumber page)
{
	Buffer		leaf = rdb_map_read_leaf(rel, RDB_MAP_REVERSE, page / RDB_REVERSE_SLOTS);
	uint32		block;

	if (!BufferIsValid(leaf))
		return InvalidBlockNumber;
	LockBuffer(leaf, BUFFER_LOCK_SHARE);
	block = RdbReverseSlots(RdbMapPageOf(leaf))[page % RDB_REVERSE_SLOTS];
	UnlockReleaseBuffer(leaf);
	return block == 0 ? InvalidBlockNumber : block - 1;
}

/* How many blocks there are: those of all rows that were ever handed out. */
BlockNumber
rdb_map_nblocks(Relation rel)
{
	Buffer		meta = rdb_map_read_meta(rel);
	BlockNumber nblocks;

	LockBuffer(meta, BUFFER_LOCK_SHARE);
	nblocks = RdbTableMetaOf(meta)->nblocks;
	UnlockReleaseBuffer(meta);
	return nblocks;
}

/*
 * The page that holds the block's rows, pinned; InvalidBuffer when there is no
 * such block.  Looked up, pinned, and looked up again: from then on the pin
 * keeps it what it is.
 */
Buffer
rdb_map_pin_rows(Relation rel, BlockNumber block, RdbMapPin *pin,
				 BufferAccessStrategy strategy)
{
	for (;;)
	{
		RdbMapEntry entry = rdb_map_entry(rel, block, pin);
		Buffer		buffer;

		if (RdbEntryGetKind(entry) == RDB_ENTRY_NONE)
			return InvalidBuffer;
		buffer = ReadBufferExtended(rel, MAIN_FORKNUM, RdbEntryGetPage(entry),
									RBM_NORMAL, strategy);
		if (rdb_map_entry(rel, block, pin) == entry)
			return buffer;
		ReleaseBuffer(buffer);
		CHECK_FOR_INTERRUPTS();
	}
}

/* ---- adopting ---- */

static void
emit_allocated(Relation rel, BlockNumber block)
{
	RdbRelFile	file;
	RdbEvent	event;

	rdb_compat_rel_file(rel, &file);
	rdb_event_start(&event, RDB_PAGE_ALLOCATED, RDB_ENGINE);
	rdb_event_page(&event, &file, MAIN_FORKNUM);
	rdb_event_int(&event, block);
	rdb_event_int(&event, BLCKSZ);
	rdb_event_emit(&event);
}

/* The three pages of an adoption, pinned. */
typedef struct Adoption
{
	Buffer		meta;
	Buffer		forward;
	Buffer		reverse;
	uint32		forward_leaf;
} Adoption;

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
release(Adoption *adoption)
{
	ReleaseBuffer(adoption->reverse);
	ReleaseBuffer(adoption->forward);
	ReleaseBuffer(adoption->meta);
}

/*
 * Pin what adopting a page needs and lock the metapage, which then says what
 * the next block is; its leaf must be the one that was pinned.
 */
static BlockNumber
prepare(Relation rel, BlockNumber page, Adoption *adoption)
{
	for (;;)
	{
		BlockNumber next = rdb_map_nblocks(rel);

		if (next >= MaxBlockNumber - 1)
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("cannot extend table \"%s\" beyond %u blocks",
							RelationGetRelationName(rel), next)));
		adoption->forward_leaf = next / RDB_FORWARD_SLOTS;
		adoption->forward = read_or_grow(rel, RDB_MAP_FORWARD, adoption->forward_leaf);
		adoption->reverse = read_or_grow(rel, RDB_MAP_REVERSE, page / RDB_REVERSE_SLOTS);
		adoption->meta = rdb_map_read_meta(rel);
		LockBuffer(adoption->meta, BUFFER_LOCK_EXCLUSIVE);
		next = RdbTableMetaOf(adoption->meta)->nblocks;
		if (next / RDB_FORWARD_SLOTS == adoption->forward_leaf)
			return next;
		LockBuffer(adoption->meta, BUFFER_LOCK_UNLOCK);
		release(adoption);
	}
}

/* All three are locked: give the pages their blocks. */
static void
change(Relation rel, Adoption *adoption, const RdbXlogAdopt *adopt)
{
	START_CRIT_SECTION();
	rdb_map_apply_adopt(BufferGetPage(adoption->meta), BufferGetPage(adoption->forward),
						BufferGetPage(adoption->reverse), adopt);
	MarkBufferDirty(adoption->meta);
	MarkBufferDirty(adoption->forward);
	MarkBufferDirty(adoption->reverse);
	if (RelationNeedsWAL(rel))
		rdb_map_log_adopt(adoption->meta, adoption->forward, adoption->reverse,
						  adopt->block, adopt->page, adopt->count);
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
	Adoption	adoption;
	uint32		taken;

	if (block != InvalidBlockNumber)
		return block;
	block = prepare(rel, page, &adoption);
	LockBuffer(adoption.forward, BUFFER_LOCK_EXCLUSIVE);
	LockBuffer(adoption.reverse, BUFFER_LOCK_EXCLUSIVE);
	taken = RdbReverseSlots(RdbMapPageOf(adoption.reverse))[page % RDB_REVERSE_SLOTS];
	if (taken != 0)
		block = taken - 1;
	else
		change(rel, &adoption, &(RdbXlogAdopt) {block, page, 1});
	LockBuffer(adoption.reverse, BUFFER_LOCK_UNLOCK);
	LockBuffer(adoption.forward, BUFFER_LOCK_UNLOCK);
	LockBuffer(adoption.meta, BUFFER_LOCK_UNLOCK);
	release(&adoption);
	if (taken == 0)
		emit_allocated(rel, block);
	return block;
}

/* As many neighbours as one record can take. */
static uint32
run_of(BlockNumber block, BlockNumber page, BlockNumber end)
{
	uint32		run = end - page;

	run = Min(run, RDB_FORWARD_SLOTS - block % RDB_FORWARD_SLOTS);
	return Min(run, RDB_REVERSE_SLOTS - page % RDB_REVERSE_SLOTS);
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
		Adoption	adoption;
		BlockNumber block = prepare(rel, page, &adoption);
		uint32		count = run_of(block, page, end);

		LockBuffer(adoption.forward, BUFFER_LOCK_EXCLUSIVE);
		LockBuffer(adoption.reverse, BUFFER_LOCK_EXCLUSIVE);
		change(rel, &adoption, &(RdbXlogAdopt) {block, page, count});
		LockBuffer(adoption.reverse, BUFFER_LOCK_UNLOCK);
		LockBuffer(adoption.forward, BUFFER_LOCK_UNLOCK);
		LockBuffer(adoption.meta, BUFFER_LOCK_UNLOCK);
		release(&adoption);
		page += count;
		CHECK_FOR_INTERRUPTS();
	}
}
