/*
 * settle.c
 *	  Settling: blocks whose rows are visible to all leave their row pages for column
 *	  groups.
 *
 * Pages are pruned, judged and copied one by one under their cleanup locks; the copies
 * are encoded, decoded again and compared; the group is written; and those blocks whose
 * pages are still what was copied are swapped (store/map_settle.c).  Nobody is kept
 * waiting but for the moments of copying and swapping.  A failure at any point leaves at
 * most an extent that nothing refers to.
 *
 * The caller holds ShareUpdateExclusiveLock.
 */
#include "postgres.h"

#include "columnar/settle.h"

#include "access/heapam.h"
#include "access/transam.h"
#include "access/xlog.h"
#include "catalog/pg_class.h"
#include "columnar/columnar_events.h"
#include "columnar/group_cache.h"
#include "columnar/group_move.h"
#include "columnar/group_rows.h"
#include "columnar/group_write.h"
#include "commands/progress.h"
#include "compat/vacuum_api.h"
#include "core/rules.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "storage/bufmgr.h"
#include "storage/freespace.h"
#include "storage/lmgr.h"
#include "storage/procarray.h"
#include "store/extents.h"
#include "store/group_blocks.h"
#include "store/map_settle.h"
#include "store/map_thaw.h"
#include "store/page_map.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

/* So little more than the fillfactor leaves free is not worth waiting for rows to fill. */
#define NEARLY_FULL (BLCKSZ / 16)

#define USUAL_LEAST_ROWS 4096
#define END_BLOCKS 64			/* of a table whose file may be cut */

/* So many blocks without rows are taken away at once. */
#define MOST_EMPTY 64

#define MOST_EAGER_BLOCKS 7

#define BLOCKS_BETWEEN_QUESTIONS 256

/* Free pages are looked for among so many, where nobody has gone over all. */
#define MOST_PAGES_TRIED 131072

#define BLOCKS_BETWEEN_NEWS 64

int			rdb_settle_delay = 60;
bool		rdb_settle_eagerly = false;

typedef struct Settle
{
	Relation	rel;
	const RdbSettleLimits *limits;
	RdbSettled *settled;
	TransactionId oldest_xmin;
	struct GlobalVisState *visibility;
	bool		has_indexes;
	uint64		random;
	RdbPageRuns *freed;			/* empty row pages without a block */
	MemoryContext parent;
	MemoryContext context;		/* of one group */
	/* the group that is being collected */
	int			n;
	int			room;
	uint32		rows;
	uint32		most_rows;
	RdbSettling *blocks;
	RdbGroupSource *sources;
	double		row_bytes;		/* in the group before, if there was one */
	double		block_rows;		/* of a block likewise; 0: there was none */
	/* how columns were encoded in the group before; NULL: there was none */
	const uint8 *encodings;
	uint8	   *next_encodings;
	/* blocks without rows */
	int			nempty;
	RdbSettling empty[MOST_EMPTY];
	/* the group that was looked at last, and whether it is to be regrouped */
	BlockNumber group;
	bool		regroups;
	List	   *left;			/* groups that may have nothing current any more */
} Settle;

/* Not what logical decoding takes for a catalog, nor what has block numbers that the
 * file has no pages for. */
bool
rdb_can_settle(Relation rel)
{
	return !RelationIsUsedAsCatalogTable(rel) && !rdb_map_is_shuffled(rel) &&
		!RELATION_IS_OTHER_TEMP(rel);
}

/* The usual ones. */
void
rdb_settle_limits(Relation rel, RdbSettleLimits *limits)
{
	memset(limits, 0, sizeof(*limits));
	limits->rested = GetRedoRecPtr();
	limits->full = (uint32) RelationGetTargetPageFreeSpace(rel, HEAP_DEFAULT_FILLFACTOR) + NEARLY_FULL;
	limits->least_rows = USUAL_LEAST_ROWS;
	limits->most_rows = RDB_GROUP_ROWS;
	limits->most_blocks = RDB_GROUP_BLOCKS;
	if (!rdb_settle_eagerly)
		return;
	limits->rested = InvalidXLogRecPtr;
	limits->least_rows = 1;
	limits->most_blocks = 1 + (uint32) (GetCurrentTimestamp() % MOST_EAGER_BLOCKS);
}

/* ---- judging ---- */

/* Whether a row is visible to all, and locked by nobody; *newest is the newest xmin of
 * those that are not frozen. */
static bool
is_settled(Settle *settle, HeapTuple tuple, Buffer buffer, TransactionId *newest)
{
	HeapTupleHeader header = tuple->t_data;
	TransactionId xmin;

	if (HeapTupleSatisfiesVacuum(tuple, settle->oldest_xmin, buffer) != HEAPTUPLE_LIVE ||
		(rdb_rule(RDB_RULE_XMAX_INVALID) && !(header->t_infomask & HEAP_XMAX_INVALID)) ||
		(header->t_infomask & HEAP_MOVED))
		return false;
	if (HeapTupleHeaderXminFrozen(header))
		return true;
	xmin = HeapTupleHeaderGetXmin(header);
	if (!TransactionIdIsNormal(xmin))
		return true;
	if (rdb_rule(RDB_RULE_REMOVABLE_XMIN) && !GlobalVisTestIsRemovableXid(settle->visibility, xmin))
		return false;
	if (!TransactionIdIsValid(*newest) || TransactionIdFollows(xmin, *newest))
		*newest = xmin;
	return true;
}

/* Remove what is dead, and, where no index has heard of it, its line pointers, too. */
static void
clean(Settle *settle, Buffer buffer)
{
	Page		page = BufferGetPage(buffer);
	OffsetNumber dead[MaxHeapTuplesPerPage];
	int			n = 0;

	rdb_vacuum_prune(settle->rel, buffer, settle->oldest_xmin, settle->visibility);
	if (settle->has_indexes)
		return;
	for (OffsetNumber offset = FirstOffsetNumber; offset <= PageGetMaxOffsetNumber(page); offset++)
	{
		if (ItemIdIsDead(PageGetItemId(page, offset)))
			dead[n++] = offset;
	}
	if (n > 0)
		rdb_vacuum_reap(settle->rel, buffer, dead, n);
}

/* Whether all rows of a page are settled, and how many there are: none may be. */
static bool
judge(Settle *settle, Buffer buffer, uint32 *rows, TransactionId *newest)
{
	Page		page = BufferGetPage(buffer);

	*rows = 0;
	*newest = InvalidTransactionId;
	for (OffsetNumber offset = FirstOffsetNumber; offset <= PageGetMaxOffsetNumber(page); offset++)
	{
		ItemId		item = PageGetItemId(page, offset);
		HeapTupleData tuple;

		if (ItemIdIsDead(item))
			return false;
		if (!ItemIdIsNormal(item))
			continue;
		tuple.t_data = (HeapTupleHeader) PageGetItem(page, item);
		tuple.t_len = ItemIdGetLength(item);
		tuple.t_tableOid = RelationGetRelid(settle->rel);
		ItemPointerSet(&tuple.t_self, BufferGetBlockNumber(buffer), offset);
		if (!is_settled(settle, &tuple, buffer, newest))
			return false;
		(*rows)++;
	}
	return true;
}

static bool
is_worth_it(Settle *settle, Page page, uint8 thaws)
{
	RdbPageState state;

	state.changed = PageGetLSN(page);
	state.free = (uint32) PageGetHeapFreeSpace(page);
	state.empty = rdb_is_empty_rows((char *) page);
	state.thaws = thaws;
	settle->random = settle->random * UINT64CONST(6364136223846793005) + UINT64CONST(1442695040888963407);
	state.random = settle->random >> 32;
	return rdb_policy_settles(settle->limits, &state);
}

/* ---- collecting ---- */

static void
add_source(Settle *settle, const RdbSettling *settling, const char *page)
{
	if (settle->n == settle->room)
	{
		settle->room *= 2;
		settle->blocks = repalloc(settle->blocks, settle->room * sizeof(RdbSettling));
		settle->sources = repalloc(settle->sources, settle->room * sizeof(RdbGroupSource));
	}
	settle->blocks[settle->n] = *settling;
	settle->sources[settle->n] = (RdbGroupSource) {settling->block, page};
	settle->rows += settling->nrows;
	settle->n++;
}

/* A copy of a row page, if its block is to be settled. */
static void
take_page(Settle *settle, BlockNumber block, RdbMapEntry entry, Buffer buffer)
{
	TransactionId newest;
	uint32		rows;

	settle->settled->waiting++;
	if (!ConditionalLockBufferForCleanup(buffer))
		return;
	/* a page of another kind is none of rows, whatever the page table says */
	if (PageGetSpecialSize(BufferGetPage(buffer)) == 0 &&
		is_worth_it(settle, BufferGetPage(buffer), RdbEntryGetThaws(entry)))
	{
		clean(settle, buffer);
		if (judge(settle, buffer, &rows, &newest))
		{
			char	   *copy = palloc(BLCKSZ);
			RdbSettling settling = {block, rows, entry, 0, 0, copy, newest};

			memcpy(copy, BufferGetPage(buffer), BLCKSZ);
			settling.lsn = PageGetLSN((Page) copy);
			if (rows > 0)
				add_source(settle, &settling, copy);
			else
				settle->empty[settle->nempty++] = settling;
			settle->settled->waiting--;
		}
	}
	LockBuffer(buffer, BUFFER_LOCK_UNLOCK);
}

/* Whether what is current of a group is to be put into another one. */
static bool
is_to_be_regrouped(Settle *settle, BlockNumber first)
{
	RdbGroupHeader header;
	RdbGroupUse use;

	if (settle->group == first)
		return settle->regroups;
	settle->group = first;
	settle->regroups = false;
	if (rdb_group_look(settle->rel, first, &header) == RDB_GROUP &&
		rdb_group_use(settle->rel, first, &use) == RDB_GROUP)
	{
		RdbGroupState state = {header.nblocks, use.blocks, header.nrows, use.rows};

		settle->regroups = rdb_policy_regroups(&state);
	}
	if (settle->regroups && !list_member_int(settle->left, (int) first))
	{
		MemoryContext before = MemoryContextSwitchTo(settle->parent);

		settle->left = lappend_int(settle->left, (int) first);
		MemoryContextSwitchTo(before);
	}
	return settle->regroups;
}

static void
take_grouped(Settle *settle, BlockNumber block, RdbMapEntry entry)
{
	RdbGroup   *group = rdb_group_get(settle->rel, RdbEntryGetPage(entry));
	char	   *page = palloc(BLCKSZ);

	RdbSettling settling = {block, 0, entry, 0, 0, NULL, InvalidTransactionId};

	rdb_group_form_page(settle->rel, group, RdbEntryGetIndex(entry), block, page);
	settling.nrows = group->blocks[RdbEntryGetIndex(entry)].nrows;
	add_source(settle, &settling, page);
}

/* ---- seeing that nothing is lost ---- */

static bool
is_same_row(HeapTupleHeader source, HeapTupleHeader made, uint32 length)
{
	Size		bits = offsetof(HeapTupleHeaderData, t_bits);
	uint16		infomask;
	uint16		infomask2;

	rdb_settled_header(source, &infomask, &infomask2);
	return HeapTupleHeaderGetRawXmin(source) == HeapTupleHeaderGetRawXmin(made) &&
		HeapTupleHeaderGetRawXmax(made) == InvalidTransactionId &&
		HeapTupleHeaderGetRawCommandId(source) == HeapTupleHeaderGetRawCommandId(made) &&
		infomask == made->t_infomask && infomask2 == made->t_infomask2 &&
		source->t_hoff == made->t_hoff &&
		memcmp((char *) source + bits, (char *) made + bits, length - bits) == 0;
}

static bool
is_same_page(Page source, Page made)
{
	if (PageGetMaxOffsetNumber(source) != PageGetMaxOffsetNumber(made))
		return false;
	for (OffsetNumber offset = FirstOffsetNumber; offset <= PageGetMaxOffsetNumber(source); offset++)
	{
		ItemId		a = PageGetItemId(source, offset);
		ItemId		b = PageGetItemId(made, offset);

		if (ItemIdGetFlags(a) != ItemIdGetFlags(b))
			return false;
		if (ItemIdIsRedirected(a) && ItemIdGetRedirect(a) != ItemIdGetRedirect(b))
			return false;
		if (ItemIdIsNormal(a) &&
			(ItemIdGetLength(a) != ItemIdGetLength(b) ||
			 !is_same_row((HeapTupleHeader) PageGetItem(source, a),
						  (HeapTupleHeader) PageGetItem(made, b), ItemIdGetLength(a))))
			return false;
	}
	return true;
}

/* How most chunks of a column are encoded. */
static RdbEncoding
usual_encoding(const RdbGroup *group, int column, double *ratio)
{
	uint32		counts[RDB_NENCODINGS] = {0};
	double		raw = 0;
	double		compressed = 0;
	RdbEncoding usual = RDB_PLAIN;

	for (uint32 i = 0; i < group->nchunks; i++)
	{
		const RdbGroupChunk *chunk = rdb_group_chunk(group, column, i);

		counts[Min(chunk->encoding, RDB_NENCODINGS - 1)]++;
		raw += chunk->raw_size;
		compressed += (double) rdb_group_stored_size(chunk);
	}
	for (int e = 0; e < RDB_NENCODINGS; e++)
	{
		if (counts[e] > counts[usual])
			usual = e;
	}
	*ratio = raw > 0 ? compressed / raw : 1;
	return usual;
}

/* Tell which columns are encoded otherwise than in the group before. */
static void
tell_encodings(Settle *settle, const RdbGroup *group)
{
	TupleDesc	desc = RelationGetDescr(settle->rel);

	for (int i = 0; i < group->header->natts; i++)
	{
		double		ratio;
		RdbEncoding now = usual_encoding(group, i, &ratio);

		if (settle->encodings != NULL && settle->encodings[i] != (uint8) now &&
			!TupleDescAttr(desc, i)->attisdropped)
			rdb_tell_encoding(settle->rel, NameStr(TupleDescAttr(desc, i)->attname),
							  settle->encodings[i], now, ratio);
		settle->next_encodings[i] = (uint8) now;
	}
	settle->encodings = settle->next_encodings;
}

/* Every block is made of the group again.  One that does not come back as it was keeps
 * its row page; the others get their places in the group, and how many they are is
 * returned. */
static int
compare(Settle *settle, const char *bytes)
{
	RdbGroup   *group = rdb_group_open_memory(settle->rel, bytes, settle->context);
	PGAlignedBlock made;
	int			n = 0;

	for (int i = 0; i < settle->n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		rdb_group_form_page(settle->rel, group, (uint32) i, settle->blocks[i].block, made.data);
		if (is_same_page((Page) settle->sources[i].page, (Page) made.data))
		{
			settle->blocks[n] = settle->blocks[i];
			settle->blocks[n++].after = RdbEntryMakeGroup(0, (uint16) i, RdbEntryGetThaws(settle->blocks[i].before));
		}
		else
			ereport(DEBUG1,
					(errmsg_internal("block %u of table \"%s\" would not come back from its column group as it is",
									 settle->blocks[i].block, RelationGetRelationName(settle->rel))));
	}
	if (n > 0)
		tell_encodings(settle, group);
	rdb_group_close(group);
	return n;
}

/* ---- groups ---- */

/* As many rows as have room in the first free pages that are worth it, going by the group
 * before: pieces between other pages would stay free for ever. */
static uint32
rows_with_room(const Settle *settle)
{
	uint32		most_rows = (uint32) Min(settle->limits->most_rows, settle->limits->most_blocks * settle->block_rows);

	for (int i = 0; i < settle->freed->n && most_rows > 0; i++)
	{
		uint32		rows = rdb_policy_group_rows(settle->limits, most_rows, settle->freed->runs[i].npages *
												 (double) RDB_EXTENT_ROOM / settle->row_bytes);

		if (rows > 0)
			return rows;
	}
	return settle->limits->most_rows;
}

static void
begin_group(Settle *settle)
{
	MemoryContextReset(settle->context);
	settle->most_rows = rows_with_room(settle);
	MemoryContextSwitchTo(settle->context);
	settle->n = 0;
	settle->rows = 0;
	settle->room = 64;
	settle->blocks = palloc(settle->room * sizeof(RdbSettling));
	settle->sources = palloc(settle->room * sizeof(RdbGroupSource));
}

/* Blocks without rows have no place any more; their pages may be used for others. */
static void
take_away_empty(Settle *settle)
{
	(void) rdb_map_settle(settle->rel, settle->empty, settle->nempty, settle->freed);
	for (int i = 0; i < settle->nempty; i++)
		pfree(unconstify(char *, settle->empty[i].copy));
	settle->nempty = 0;
}

static void
write_group(Settle *settle, const char *bytes, Size size, int n)
{
	BlockNumber first = rdb_extent_write(settle->rel, bytes, size, InvalidFullTransactionId,
										 settle->freed);
	RdbSwapped	swapped;

	for (int i = 0; i < n; i++)
		settle->blocks[i].after |= first;
	swapped = rdb_map_settle(settle->rel, settle->blocks, n, settle->freed);
	settle->settled->blocks += swapped.blocks;
	settle->settled->rows += swapped.rows;
	settle->settled->groups++;
	settle->settled->bytes += (int64) size;
	settle->row_bytes = (double) size / settle->rows;
	settle->block_rows = (double) settle->rows / settle->n;
}

/* Make a group of what was collected. */
static void
end_group(Settle *settle)
{
	char	   *bytes;
	Size		size;
	int			n;

	take_away_empty(settle);
	if (settle->n > 0 && settle->rows >= settle->limits->least_rows)
	{
		bytes = rdb_group_encode(settle->rel, settle->sources, settle->n, &size);
		n = compare(settle, bytes);
		rdb_race_pause();
		if (n > 0)
			write_group(settle, bytes, size, n);
	}
	begin_group(settle);
}

static void
add_block(Settle *settle, BlockNumber block, RdbMapPin *pin)
{
	RdbMapEntry entry;
	Buffer		buffer = rdb_map_pin_rows(settle->rel, block, pin, NULL, &entry);

	if (BufferIsValid(buffer))
	{
		take_page(settle, block, entry, buffer);
		ReleaseBuffer(buffer);
	}
	else if (RdbEntryGetKind(entry) == RDB_ENTRY_GROUP &&
			 is_to_be_regrouped(settle, RdbEntryGetPage(entry)))
		take_grouped(settle, block, entry);
}

/* What nothing refers to any more may be used again when all who may be reading it have
 * gone. */
static void
free_groups(Settle *settle)
{
	ListCell   *cell;

	foreach(cell, settle->left)
	{
		BlockNumber first = (BlockNumber) lfirst_int(cell);
		RdbGroupUse use;

		if (rdb_group_use(settle->rel, first, &use) != RDB_GROUP || use.blocks > 0)
			continue;
		rdb_extent_free(settle->rel, first);
		settle->settled->freed++;
	}
}

static bool
has_indexes(Relation rel)
{
	List	   *indexes = RelationGetIndexList(rel);
	bool		any = indexes != NIL;

	list_free(indexes);
	return any;
}

static void
begin(Settle *settle, Relation rel, const RdbSettleLimits *limits, RdbPageRuns *free_pages,
	  RdbSettled *settled)
{
	settle->rel = rel;
	settle->limits = limits;
	settle->settled = settled;
	settle->oldest_xmin = GetOldestNonRemovableTransactionId(rel);
	settle->visibility = GlobalVisTestFor(rel);
	settle->has_indexes = has_indexes(rel);
	settle->random = (uint64) GetCurrentTimestamp();
	settle->group = InvalidBlockNumber;
	settle->freed = free_pages;
	settle->next_encodings = palloc(RelationGetNumberOfAttributes(rel));
	settle->parent = CurrentMemoryContext;
	settle->context = AllocSetContextCreate(CurrentMemoryContext, "settling", ALLOCSET_DEFAULT_SIZES);
}

/* Whether it is time to go on in another transaction. */
static bool
is_enough(const Settle *settle)
{
	if (settle->limits->most_groups > 0 && settle->settled->groups >= settle->limits->most_groups)
		return true;
	return settle->limits->yields &&
		LockHasWaitersRelation(settle->rel, ShareUpdateExclusiveLock);
}

/* Where the next transaction begins: with those blocks again that are too few for a
 * group. */
static BlockNumber
resume_at(const Settle *settle, BlockNumber block)
{
	return settle->n > 0 && settle->rows < settle->limits->least_rows ?
		settle->blocks[0].block : block;
}

/* What is at the end of the table though it is not cold, or too little for a group: its pages
 * may be all that keeps the end of the file from being cut off. */
static void
settle_end(Settle *settle, BlockNumber end)
{
	RdbSettleLimits limits = *settle->limits;

	StaticAssertStmt(END_BLOCKS <= MOST_EMPTY, "all of them may be empty");
	if (!rdb_policy_hurries(rdb_runs_pages(settle->freed, InvalidBlockNumber)))
		return;
	limits.rested = InvalidXLogRecPtr;
	limits.least_rows = 1;
	settle->limits = &limits;
	for (BlockNumber block = end > END_BLOCKS ? end - END_BLOCKS : 0; block < end; block++)
	{
		RdbMapPin	pin = RDB_MAP_UNPINNED;

		add_block(settle, block, &pin);
		rdb_map_unpin(&pin);
	}
	end_group(settle);
}

/* As pages that VACUUM is done with in its second pass. */
static void
tell_progress(const RdbSettleLimits *limits, BlockNumber block, BlockNumber end)
{
	if (limits->told > 0 && block % BLOCKS_BETWEEN_NEWS == 0)
		pgstat_progress_update_param(PROGRESS_VACUUM_HEAP_BLKS_VACUUMED,
									 (int64) limits->told * block / end);
}

/*
 * Settle what can settle, as far as the limits go; adds up what was done.  Blocks that are
 * only waiting for others to make a group with are none of those that wait.  free_pages
 * are empty row pages without a block, some of them; groups are written there, and what
 * becomes free is added.
 */
void
rdb_settle(Relation rel, const RdbSettleLimits *limits, RdbPageRuns *free_pages,
		   RdbSettled *settled)
{
	MemoryContext before = CurrentMemoryContext;
	Settle	   *settle = palloc0(sizeof(Settle));
	RdbMapPin	pin = RDB_MAP_UNPINNED;
	BlockNumber end = rdb_map_nblocks(rel);
	bool		enough = false;

	begin(settle, rel, limits, free_pages, settled);
	begin_group(settle);
	settled->next = InvalidBlockNumber;
	for (BlockNumber block = limits->from; block < end; block++)
	{
		rdb_compat_vacuum_delay();
		tell_progress(limits, block, end);
		if (settle->rows + MaxHeapTuplesPerPage > settle->most_rows ||
			(uint32) settle->n >= limits->most_blocks || settle->nempty == MOST_EMPTY)
		{
			rdb_map_unpin(&pin);
			if (settle->nempty == MOST_EMPTY)
				take_away_empty(settle);
			else
				end_group(settle);
			enough = is_enough(settle);
		}
		else if (block % BLOCKS_BETWEEN_QUESTIONS == 0)
			enough = block > limits->from && is_enough(settle);
		if (enough)
		{
			settled->next = resume_at(settle, block);
			break;
		}
		add_block(settle, block, &pin);
	}
	rdb_map_unpin(&pin);
	end_group(settle);
	if (limits->moves)
		settle_end(settle, end);
	settle->limits = limits;
	free_groups(settle);
	MemoryContextSwitchTo(before);
	if (limits->moves)
		rdb_move_groups(rel, free_pages);
	rdb_extent_pass_stamps();
	FreeSpaceMapVacuum(rel);
	MemoryContextDelete(settle->context);
	list_free(settle->left);
	pfree(settle);
}

/* The same as a command of its own, in pg_stat_progress_vacuum. */
void
rdb_settle_alone(Relation rel, RdbSettleLimits *limits, RdbPageRuns *free_pages,
				 RdbSettled *settled)
{
	/* which VACUUM knows already */
	rdb_map_find_empty(rel, MOST_PAGES_TRIED, free_pages);
	limits->told = rdb_map_nblocks(rel);
	pgstat_progress_start_command(PROGRESS_COMMAND_VACUUM, RelationGetRelid(rel));
	pgstat_progress_update_param(PROGRESS_VACUUM_PHASE, PROGRESS_VACUUM_PHASE_VACUUM_HEAP);
	pgstat_progress_update_param(PROGRESS_VACUUM_TOTAL_HEAP_BLKS, limits->told);
	rdb_settle(rel, limits, free_pages, settled);
	pgstat_progress_end_command();
}
