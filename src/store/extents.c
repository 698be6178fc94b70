/*
 * extents.c
 *	  Extents of a table: where they are, and what is in them.
 *
 * Whoever changes the lists of free extents holds a heavyweight page lock, and so
 * looks at them without buffer locks; then all pages of the change are locked, the
 * metapage first.  An extent that is freed is not used again before
 * everybody who may have seen it has gone: here the snapshots are asked, on a
 * standby they are cancelled.
 *
 * Writing is not one step.  An extent that nothing refers to, because its writer
 * failed or the server did, is found by VACUUM and freed (extent_sweep.c).
 */
#include "postgres.h"

#include "store/extents.h"

#include "access/generic_xlog.h"
#include "access/xact.h"
#include "access/xloginsert.h"
#include "core/rules.h"
#include "disk/io_events.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "storage/freespace.h"
#include "storage/lmgr.h"
#include "store/engine_page.h"
#include "store/extent_wal.h"
#include "store/map_thaw.h"
#include "store/map_tree.h"
#include "store/watched_read.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

/* The page whose heavyweight lock stands for the lists.  (The metapage's is for
 * growing the page table.) */
#define LIST_LOCK 1

/* How many extents on a list are looked at, for one that is large enough. */
#define MAX_LOOKS 8

/* ---- pages ---- */

static Buffer
lock_page(Relation rel, BlockNumber page)
{
	Buffer		buffer = rdb_watched_read(rel, page, NULL);

	LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
	return buffer;
}

static bool
is_extent_page(const char *page)
{
	const RdbExtentPage *extent = RdbEngineArea(page);

	return !PageIsNew((Page) page) && rdb_is_engine_page(page, RDB_ENGINE_EXTENT) &&
		extent->header.version == RDB_EXTENT_VERSION && rdb_engine_intact(page);
}

/* Raise XX001, with a ChecksumFailure if that is what it is. */
static void
damaged(Relation rel, BlockNumber number, const char *page)
{
	RdbRelFile	file;

	rdb_compat_rel_file(rel, &file);
	if (rdb_is_engine_page(page, RDB_ENGINE_EXTENT) && !rdb_engine_intact(page))
	{
		uint32		stored = rdb_engine_stored_crc(page);
		uint32		right = rdb_engine_crc(page);

		rdb_io_checksum_failure(&file, number, stored, right);
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("invalid page in block %u of relation \"%s\"",
						number, RelationGetRelationName(rel)),
				 errdetail("The page's checksum is %u, and %u was calculated.", stored, right)));
	}
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("invalid page in block %u of relation \"%s\"",
					number, RelationGetRelationName(rel)),
			 errdetail("It is not the page of an extent that it should be.")));
}

/* The header of an intact page of an extent, the first or not; false if it is none. */
static bool
look_at_page(Relation rel, BlockNumber number, RdbExtentPage *header)
{
	Buffer		buffer = rdb_watched_read(rel, number, NULL);
	char	   *page = BufferGetPage(buffer);
	bool		found;

	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	memcpy(header, RdbEngineArea(page), sizeof(*header));
	found = is_extent_page(page);
	UnlockReleaseBuffer(buffer);
	return found;
}

/* What a page says of the extent that begins there; false if none does. */
bool
rdb_extent_look(Relation rel, BlockNumber first, RdbExtentPage *head)
{
	return look_at_page(rel, first, head) && head->first == first;
}

/*
 * Whether an extent was written to its end: pages are written in order, so the last
 * one says.
 */
bool
rdb_extent_is_whole(Relation rel, const RdbExtentPage *head)
{
	RdbExtentPage last;

	return head->first + head->npages <= RelationGetNumberOfBlocks(rel) &&
		look_at_page(rel, head->first + head->npages - 1, &last) &&
		last.first == head->first && last.npages == head->npages &&
		FullTransactionIdEquals(last.stamp, head->stamp);
}

/*
 * Whether an intact page of an extent belongs to none: what it takes for the
 * beginning is intact, and is that of a shorter extent, or none.  Whatever is
 * damaged, or next to it, is left alone.
 */
bool
rdb_extent_is_lost(Relation rel, BlockNumber number)
{
	RdbExtentPage page;
	RdbExtentPage head;

	return look_at_page(rel, number, &page) && page.first < number &&
		look_at_page(rel, page.first, &head) &&
		(head.first != page.first || head.first + head.npages <= number);
}

/* As rdb_extent_look(), of one that must be there.  Error: XX001. */
static void
read_head(Relation rel, BlockNumber first, RdbExtentPage *head)
{
	Buffer		buffer;

	if (rdb_extent_look(rel, first, head))
		return;
	buffer = rdb_watched_read(rel, first, NULL);
	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	damaged(rel, first, BufferGetPage(buffer));
}

/* ---- the lists ---- */

void
rdb_extent_lock_lists(Relation rel)
{
	LockPage(rel, LIST_LOCK, ExclusiveLock);
}

void
rdb_extent_unlock_lists(Relation rel)
{
	UnlockPage(rel, LIST_LOCK, ExclusiveLock);
}

static RdbExtentList
read_list(Relation rel, int class)
{
	Buffer		meta = rdb_map_read_meta(rel);
	RdbExtentList list;

	LockBuffer(meta, BUFFER_LOCK_SHARE);
	list = RdbTableMetaOf(meta)->free_lists[class];
	UnlockReleaseBuffer(meta);
	return list;
}

/* The first free extent on a list; 0: none. */
BlockNumber
rdb_extent_first_listed(Relation rel, int class)
{
	return read_list(rel, class).first;
}

static bool
has_free(Relation rel)
{
	Buffer		meta = rdb_map_read_meta(rel);
	bool		any;

	LockBuffer(meta, BUFFER_LOCK_SHARE);
	any = RdbTableMetaOf(meta)->free_extents > 0;
	UnlockReleaseBuffer(meta);
	return any;
}

/* Whether a free extent of that class begins there. */
static bool
is_free_of_class(Relation rel, BlockNumber first, int class, RdbExtentPage *head)
{
	return first < RelationGetNumberOfBlocks(rel) && rdb_extent_look(rel, first, head) &&
		head->state == RDB_EXTENT_FREE && head->npages > 0 &&
		RdbExtentClass(head->npages) == class;
}

/* All extents leave the lists, which are locked; VACUUM puts them on again. */
void
rdb_extent_empty_lists(Relation rel)
{
	Buffer		buffer = rdb_map_read_meta(rel);
	GenericXLogState *wal;
	RdbTableMeta *meta;

	LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
	wal = GenericXLogStart(rel);
	meta = RdbEngineArea(GenericXLogRegisterBuffer(wal, buffer, 0));
	memset(meta->free_lists, 0, sizeof(meta->free_lists));
	meta->free_extents = meta->free_pages = 0;
	GenericXLogFinish(wal);
	UnlockReleaseBuffer(buffer);
}

/* The pages of a change, locked in the order of their roles. */
static void
lock_change(Relation rel, Buffer *buffers, BlockNumber first, BlockNumber before,
			BlockNumber rest)
{
	buffers[RDB_EXTENT_META] = rdb_map_read_meta(rel);
	LockBuffer(buffers[RDB_EXTENT_META], BUFFER_LOCK_EXCLUSIVE);
	buffers[RDB_EXTENT_FIRST] = lock_page(rel, first);
	buffers[RDB_EXTENT_BEFORE] = before != 0 ? lock_page(rel, before) : InvalidBuffer;
	buffers[RDB_EXTENT_REST] = rest != 0 ? lock_page(rel, rest) : InvalidBuffer;
}

static void
unlock_change(const Buffer *buffers)
{
	for (int role = RDB_EXTENT_NROLES - 1; role >= 0; role--)
	{
		if (BufferIsValid(buffers[role]))
			UnlockReleaseBuffer(buffers[role]);
	}
}

/*
 * Among the first few of a list, an extent that nobody can be reading and that has
 * so many pages; false if there is none.  A list ends where it is damaged: VACUUM
 * makes it anew.
 */
static bool
find_on_list(Relation rel, int class, uint32 npages, RdbXlogExtentTake *take)
{
	BlockNumber first = read_list(rel, class).first;

	take->before = 0;
	for (int looks = 0; first != 0 && looks < MAX_LOOKS; looks++)
	{
		RdbExtentPage head;

		if (!is_free_of_class(rel, first, class, &head))
			return false;
		if (head.npages >= npages &&
			(!rdb_rule(RDB_RULE_REUSE_HORIZON) || GlobalVisCheckRemovableFullXid(rel, head.stamp)))
		{
			take->first = first;
			take->npages = npages;
			take->rest = head.npages - npages;
			take->next = head.next;
			take->horizon = head.stamp;
			return true;
		}
		take->before = first;
		first = head.next;
	}
	return false;
}

/* The list for its size, which has smaller ones too, and those for larger ones. */
static bool
find_free(Relation rel, uint32 npages, RdbXlogExtentTake *take)
{
	for (int class = RdbExtentClass(npages); class < RDB_EXTENT_CLASSES; class++)
	{
		if (!find_on_list(rel, class, npages, take))
			continue;
		if (take->rest > 0)
			take->rest_next = read_list(rel, RdbExtentClass(take->rest)).first;
		/* the rest may go to the list that it comes from */
		if (take->rest_next == take->first)
			take->rest_next = take->next;
		return true;
	}
	return false;
}

/* Take an extent off its list; InvalidBlockNumber if none will do. */
static BlockNumber
take_free(Relation rel, uint32 npages, FullTransactionId writer)
{
	RdbXlogExtentTake take;
	Buffer		buffers[RDB_EXTENT_NROLES];

	memset(&take, 0, sizeof(take));
	take.locator = RdbRelationLocator(rel);
	take.writer = writer;
	if (!has_free(rel))
		return InvalidBlockNumber;
	rdb_extent_lock_lists(rel);
	if (!find_free(rel, npages, &take))
	{
		rdb_extent_unlock_lists(rel);
		return InvalidBlockNumber;
	}
	lock_change(rel, buffers, take.first, take.before,
				take.rest > 0 ? take.first + take.npages : 0);
	rdb_extent_apply_take(rel, buffers, &take);
	unlock_change(buffers);
	rdb_extent_unlock_lists(rel);
	return take.first;
}

/* ---- writing ---- */

typedef struct Contents
{
	const char *bytes;
	Size		length;
	FullTransactionId writer;
	BlockNumber first;
	uint32		npages;
} Contents;

/* Fill in a page, which is locked, and log it whole. */
static void
write_page(Relation rel, Buffer buffer, const Contents *contents, uint32 index)
{
	char	   *page = BufferGetPage(buffer);
	Size		from = index * (Size) RDB_EXTENT_ROOM;
	RdbExtentPage *extent;

	START_CRIT_SECTION();
	extent = rdb_engine_init(page, RDB_ENGINE_EXTENT, RDB_EXTENT_VERSION);
	extent->first = contents->first;
	extent->npages = contents->npages;
	extent->state = RDB_EXTENT_USED;
	extent->stamp = contents->writer;
	extent->length = (uint32) Min(contents->length - from, RDB_EXTENT_ROOM);
	memcpy(extent->contents, contents->bytes + from, extent->length);
	rdb_engine_seal(page);
	MarkBufferDirty(buffer);
	if (RelationNeedsWAL(rel))
		log_newpage_buffer(buffer, true);
	END_CRIT_SECTION();
}

/*
 * At the end of the file.  No page is unlocked before it is filled in: heap's
 * code would make a row page of an empty one.
 */
static void
write_new(Relation rel, Contents *contents)
{
	LockRelationForExtension(rel, ExclusiveLock);
	for (uint32 index = 0; index < contents->npages; index++)
	{
		Buffer		buffer;

		CHECK_FOR_INTERRUPTS();
		buffer = ReadBufferExtended(rel, MAIN_FORKNUM, P_NEW, RBM_ZERO_AND_LOCK, NULL);
		if (index == 0)
			contents->first = BufferGetBlockNumber(buffer);
		write_page(rel, buffer, contents, index);
		UnlockReleaseBuffer(buffer);
	}
	UnlockRelationForExtension(rel, ExclusiveLock);
}

static void
write_over(Relation rel, const Contents *contents)
{
	for (uint32 index = 0; index < contents->npages; index++)
	{
		Buffer		buffer;

		CHECK_FOR_INTERRUPTS();
		buffer = ReadBufferExtended(rel, MAIN_FORKNUM, contents->first + index,
									RBM_ZERO_AND_LOCK, NULL);
		write_page(rel, buffer, contents, index);
		UnlockReleaseBuffer(buffer);
	}
}

/*
 * Make a page of the extent of an empty row page that has no block; false if it is
 * something else.  A row page is only asked for, not waited for, while the page that has
 * its block is locked.
 */
static bool
claim_empty(Relation rel, const Contents *contents, uint32 index)
{
	BlockNumber number = contents->first + index;
	Buffer		leaf = rdb_map_read_leaf(rel, RDB_MAP_REVERSE,
										 rdb_map_leaf_of(RDB_MAP_REVERSE, number));
	Buffer		buffer = ReadBuffer(rel, number);
	bool		claimed = false;

	/* without a leaf the page has no block, and may get one at any time */
	if (BufferIsValid(leaf))
	{
		LockBuffer(leaf, BUFFER_LOCK_SHARE);
		if (*rdb_map_reverse_slot(BufferGetPage(leaf), number) == 0 && ConditionalLockBuffer(buffer))
		{
			claimed = rdb_is_empty_rows(BufferGetPage(buffer));
			if (claimed)
				write_page(rel, buffer, contents, index);
			LockBuffer(buffer, BUFFER_LOCK_UNLOCK);
		}
		UnlockReleaseBuffer(leaf);
	}
	ReleaseBuffer(buffer);
	if (claimed)
		RecordPageWithFreeSpace(rel, number, 0);
	return claimed;
}

/* In pages that were free a moment ago; what was written before one that is not any more
 * becomes a free extent. */
static bool
write_in_run(Relation rel, const Contents *contents)
{
	for (uint32 index = 0; index < contents->npages; index++)
	{
		CHECK_FOR_INTERRUPTS();
		if (claim_empty(rel, contents, index))
			continue;
		if (index == 0)
			return false;
		rdb_extent_lock_lists(rel);
		rdb_extent_list(rel, contents->first, index, ReadNextFullTransactionId());
		rdb_extent_unlock_lists(rel);
		return false;
	}
	return true;
}

/* Find free pages before a page for it, and write it there; false if there are none. */
static bool
write_in_runs(Relation rel, Contents *contents, BlockNumber end, RdbPageRuns *runs)
{
	while (runs != NULL &&
		   (contents->first = rdb_runs_take(runs, contents->npages, end)) != InvalidBlockNumber)
	{
		if (write_in_run(rel, contents))
			return true;
	}
	return false;
}

/*
 * Write an extent of these bytes, in free pages or new ones; returns its first
 * page.  Free ones are those of a free extent, or row pages of the given runs (NULL:
 * none) that are empty.  The writer is its top-level transaction, or none if the caller holds
 * ShareUpdateExclusiveLock: VACUUM frees it when the writer has gone and nothing
 * refers to it.  Error: 54000 beyond RDB_MAX_EXTENT_PAGES.
 */
BlockNumber
rdb_extent_write(Relation rel, const char *bytes, Size length, FullTransactionId writer,
				 RdbPageRuns *runs)
{
	Contents	contents = {bytes, length, writer, InvalidBlockNumber, 0};
	Size		npages = Max((length + RDB_EXTENT_ROOM - 1) / RDB_EXTENT_ROOM, 1);

	if (npages > RDB_MAX_EXTENT_PAGES)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("extent of %zu pages is too large for table \"%s\"",
						npages, RelationGetRelationName(rel)),
				 errdetail("The limit is %d pages.", RDB_MAX_EXTENT_PAGES)));
	contents.npages = (uint32) npages;
	contents.first = take_free(rel, contents.npages, writer);
	if (contents.first != InvalidBlockNumber)
		write_over(rel, &contents);
	else if (!write_in_runs(rel, &contents, InvalidBlockNumber, runs))
		write_new(rel, &contents);
	return contents.first;
}

/* The same in pages of the runs that are before a page, by the holder of
 * ShareUpdateExclusiveLock; invalid if there are none. */
BlockNumber
rdb_extent_write_before(Relation rel, const char *bytes, Size length, BlockNumber end,
						RdbPageRuns *runs)
{
	Contents	contents = {bytes, length, InvalidFullTransactionId, InvalidBlockNumber, 0};

	contents.npages = (uint32) Max((length + RDB_EXTENT_ROOM - 1) / RDB_EXTENT_ROOM, 1);
	return write_in_runs(rel, &contents, end, runs) ? contents.first : InvalidBlockNumber;
}

/* ---- reading ---- */

/*
 * How many pages an extent has.  It may have been freed meanwhile: what was in it is
 * there as long as anybody's snapshot is old enough.  Error: XX001 if there is none.
 */
uint32
rdb_extent_pages(Relation rel, BlockNumber first)
{
	RdbExtentPage head;

	read_head(rel, first, &head);
	return head.npages;
}

/* Copy up to so many bytes of a page of an extent, from an offset on; returns how
 * many there are.  None of a damaged page, if it may be damaged. */
static Size
read_part(Relation rel, BlockNumber first, uint32 index, Size offset, Size length, char *bytes,
		  bool may_be_damaged)
{
	Buffer		buffer = rdb_watched_read(rel, first + index, NULL);
	char	   *page = BufferGetPage(buffer);
	const RdbExtentPage *extent = RdbEngineArea(page);
	bool		intact;

	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	intact = is_extent_page(page) && extent->first == first && extent->length <= RDB_EXTENT_ROOM;
	if (!intact && !may_be_damaged)
		damaged(rel, first + index, page);
	length = intact && offset < extent->length ? Min(length, extent->length - offset) : 0;
	memcpy(bytes, extent->contents + offset, length);
	UnlockReleaseBuffer(buffer);
	return length;
}

/*
 * Copy what is on a page of an extent, its index from 0; bytes has room for
 * RDB_EXTENT_ROOM.  Returns how many there are.  Error: XX001.
 */
Size
rdb_extent_read(Relation rel, BlockNumber first, uint32 index, char *bytes)
{
	return read_part(rel, first, index, 0, RDB_EXTENT_ROOM, bytes, false);
}

static bool
read_bytes(Relation rel, BlockNumber first, Size offset, Size length, char *bytes,
		   bool may_be_damaged)
{
	while (length > 0)
	{
		Size		got = read_part(rel, first, (uint32) (offset / RDB_EXTENT_ROOM),
									offset % RDB_EXTENT_ROOM, length, bytes, may_be_damaged);

		if (got == 0)
			return false;
		offset += got;
		length -= got;
		bytes += got;
		CHECK_FOR_INTERRUPTS();
	}
	return true;
}

/* Copy a part of an extent's contents, which has so many bytes.  Error: XX001. */
void
rdb_extent_read_bytes(Relation rel, BlockNumber first, Size offset, Size length, char *bytes)
{
	if (!read_bytes(rel, first, offset, length, bytes, false))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("extent at block %u of table \"%s\" ends before byte %zu",
						first, RelationGetRelationName(rel), offset + length)));
}

/* The same, for those who go on when it is damaged, or ends before: false. */
bool
rdb_extent_try_read(Relation rel, BlockNumber first, Size offset, Size length, char *bytes)
{
	return read_bytes(rel, first, offset, length, bytes, true);
}

/* Whether an extent begins with these bytes, whoever damages the rest of the page: for those
 * who have read them from there before. */
bool
rdb_extent_begins_with(Relation rel, BlockNumber first, const char *bytes, Size length)
{
	Buffer		buffer = rdb_watched_read(rel, first, NULL);
	const RdbExtentPage *extent = RdbEngineArea(BufferGetPage(buffer));
	bool		same;

	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	same = extent->first == first && memcmp(extent->contents, bytes, length) == 0;
	UnlockReleaseBuffer(buffer);
	return same;
}

/* ---- freeing ---- */

/* The latest stamp that this process has given, since it last passed by them. */
static FullTransactionId last_stamp;

/*
 * Make an extent, whose first page is an intact one, a free one, and put it on the
 * list for its size; on none if that is damaged.  The lists are locked.
 */
void
rdb_extent_list(Relation rel, BlockNumber first, uint32 npages, FullTransactionId stamp)
{
	RdbXlogExtentFree freed;
	Buffer		buffers[RDB_EXTENT_NROLES];
	RdbExtentPage ignored;
	int			class = RdbExtentClass(npages);

	memset(&freed, 0, sizeof(freed));
	freed.first = first;
	freed.npages = npages;
	freed.before = read_list(rel, class).last;
	freed.stamp = stamp;
	if (FullTransactionIdFollows(stamp, last_stamp))
		last_stamp = stamp;
	if (freed.before == first || !look_at_page(rel, first, &ignored) ||
		(freed.before != 0 && !is_free_of_class(rel, freed.before, class, &ignored)))
		return;
	lock_change(rel, buffers, first, freed.before, 0);
	rdb_extent_apply_free(rel, buffers, &freed);
	unlock_change(buffers);
}

/*
 * A stamp is the next transaction id, and an extent is used again when all that run have
 * later ones: never, where nobody takes one.  So take it, if none was taken since this
 * process has freed something.
 */
void
rdb_extent_pass_stamps(void)
{
	if (FullTransactionIdIsValid(last_stamp) &&
		FullTransactionIdFollowsOrEquals(last_stamp, ReadNextFullTransactionId()))
		(void) GetTopTransactionId();
	last_stamp = InvalidFullTransactionId;
}

/*
 * Free an extent that nothing refers to any more.  Caller holds at least
 * ShareUpdateExclusiveLock.  Errors: XX001 if there is none, 55000 if it is free.
 */
void
rdb_extent_free(Relation rel, BlockNumber first)
{
	RdbExtentPage head;

	read_head(rel, first, &head);
	if (head.state != RDB_EXTENT_USED)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("extent at block %u of table \"%s\" is free",
						first, RelationGetRelationName(rel))));
	rdb_extent_lock_lists(rel);
	rdb_extent_list(rel, first, head.npages, ReadNextFullTransactionId());
	rdb_extent_unlock_lists(rel);
}

/*
 * Make a page one of an extent's that begins before it.  False if it is none of an
 * extent, nor zero, which a crash has left: heap's code has made a row page of it
 * since.
 */
bool
rdb_extent_claim(Relation rel, BlockNumber number, BlockNumber first)
{
	Buffer		buffer = lock_page(rel, number);
	char	   *page = BufferGetPage(buffer);
	const RdbExtentPage *extent = RdbEngineArea(page);
	Contents	nothing = {"", 0, InvalidFullTransactionId, first, 1};
	bool		is_new = PageIsNew((Page) page);
	bool		claimed = is_new || rdb_is_engine_page(page, RDB_ENGINE_EXTENT);

	if (is_new || (claimed && (!is_extent_page(page) || extent->first == number)))
		write_page(rel, buffer, &nothing, 0);
	UnlockReleaseBuffer(buffer);
	return claimed;
}

/*
 * Make an empty row page, which is added to the runs, of a page that is none of an extent's any
 * more, or the only one of a free extent that is on no list; nobody can be reading it.  What
 * is damaged is left alone.
 */
void
rdb_extent_make_rows(Relation rel, BlockNumber number, RdbPageRuns *runs)
{
	Buffer		buffer = lock_page(rel, number);
	const RdbExtentPage *extent = RdbEngineArea(BufferGetPage(buffer));
	bool		makes = is_extent_page(BufferGetPage(buffer)) &&
		(extent->first != number || (extent->state == RDB_EXTENT_FREE && extent->npages == 1));

	if (makes)
	{
		START_CRIT_SECTION();
		PageInit(BufferGetPage(buffer), BLCKSZ, 0);
		MarkBufferDirty(buffer);
		if (RelationNeedsWAL(rel))
			log_newpage_buffer(buffer, true);
		END_CRIT_SECTION();
	}
	UnlockReleaseBuffer(buffer);
	if (!makes)
		return;
	RecordPageWithFreeSpace(rel, number, BLCKSZ - SizeOfPageHeaderData);
	rdb_runs_add(runs, number);
}
