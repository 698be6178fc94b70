/*
 * map_tree.c
 *	  The trees of the page table; see map_format.h.
 *
 * A page of a tree never moves and never goes away while the relation keeps its
 * file.  So a process remembers where leaves are (rd_amcache) and checks, each
 * time it has read one, that it is the one: a memory of another file, or of a
 * time before a truncation, is noticed and thrown away.
 *
 * Growing: a new page is linked in one WAL record, under a heavyweight lock
 * (page lock of the metapage) that is held by nobody who holds buffer locks.
 */
#include "postgres.h"

#include "store/map_tree.h"

#include "access/generic_xlog.h"
#include "access/xloginsert.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "storage/lmgr.h"
#include "store/engine_page.h"
#include "store/map_thaw.h"
#include "store/map_wal.h"
#include "store/watched_read.h"
#include "utils/memutils.h"

/* ---- shape ---- */

static uint32
first_numbers(RdbMapTree tree)
{
	return tree == RDB_MAP_FORWARD ? RDB_FIRST_BLOCKS : RDB_FIRST_PAGES;
}

static uint32
leaf_slots(RdbMapTree tree)
{
	return tree == RDB_MAP_FORWARD ? RDB_FORWARD_SLOTS : RDB_REVERSE_SLOTS;
}

uint32
rdb_map_leaf_of(RdbMapTree tree, uint32 number)
{
	return number < first_numbers(tree) ? RDB_ON_METAPAGE :
		(number - first_numbers(tree)) / leaf_slots(tree);
}

uint32
rdb_map_slots_left(RdbMapTree tree, uint32 number)
{
	if (number < first_numbers(tree))
		return first_numbers(tree) - number;
	return leaf_slots(tree) - (number - first_numbers(tree)) % leaf_slots(tree);
}

RdbMapEntry *
rdb_map_forward_slot(char *page, BlockNumber block)
{
	if (block < RDB_FIRST_BLOCKS)
		return &((RdbTableMeta *) RdbEngineArea(page))->first_blocks[block];
	return (RdbMapEntry *) ((RdbMapPage *) RdbEngineArea(page))->slots +
		(block - RDB_FIRST_BLOCKS) % RDB_FORWARD_SLOTS;
}

uint32 *
rdb_map_reverse_slot(char *page, BlockNumber number)
{
	if (number < RDB_FIRST_PAGES)
		return &((RdbTableMeta *) RdbEngineArea(page))->first_pages[number];
	return (uint32 *) ((RdbMapPage *) RdbEngineArea(page))->slots +
		(number - RDB_FIRST_PAGES) % RDB_REVERSE_SLOTS;
}

static uint32
nroots(RdbMapTree tree)
{
	return tree == RDB_MAP_FORWARD ? RDB_FORWARD_ROOTS : RDB_REVERSE_ROOTS;
}

/* Where on the metapage an inner page is noted.  Error: 54000. */
static uint32
root_index(RdbMapTree tree, uint32 inner)
{
	if (inner >= nroots(tree))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("table is too large for its page table")));
	return tree == RDB_MAP_FORWARD ? inner : RDB_FORWARD_ROOTS + inner;
}

void
rdb_map_init_page(char *page, RdbMapTree tree, int level, uint32 index)
{
	RdbMapPage *map = rdb_engine_init(page, RDB_ENGINE_MAP, RDB_MAP_VERSION);

	map->tree = tree;
	map->level = level;
	map->index = index;
}

/* ---- what this process remembers of a relation ---- */

#define CACHED_LEAVES 256

typedef struct CachedLeaf
{
	uint32		leaf;
	BlockNumber page;			/* 0: nothing cached */
	Buffer		recent;			/* where the page was read last */
} CachedLeaf;

typedef struct MapCache
{
	RdbLocator	file;
	Buffer		recent_meta;	/* where the metapage was read last */
	CachedLeaf	leaves[2][CACHED_LEAVES];
} MapCache;

static MapCache *
cache_of(Relation rel)
{
	MapCache   *cache = rel->rd_amcache;

	if (cache == NULL)
		cache = rel->rd_amcache = MemoryContextAllocZero(CacheMemoryContext, sizeof(MapCache));
	if (memcmp(&cache->file, &RdbRelationLocator(rel), sizeof(RdbLocator)) != 0)
	{
		memset(cache, 0, sizeof(*cache));
		cache->file = RdbRelationLocator(rel);
	}
	return cache;
}

static CachedLeaf *
cached(Relation rel, RdbMapTree tree, uint32 leaf)
{
	return &cache_of(rel)->leaves[tree][leaf % CACHED_LEAVES];
}

/* The trees are gone. */
void
rdb_map_forget(Relation rel)
{
	if (rel->rd_amcache)
		pfree(rel->rd_amcache);
	rel->rd_amcache = NULL;
}

/* ---- reading ---- */

static void
damaged(Relation rel, BlockNumber page, const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("invalid page in block %u of relation \"%s\"",
					page, RelationGetRelationName(rel)),
			 errdetail("It is not the %s that it should be.", what)));
}

static void
check_meta(Relation rel, Buffer buffer)
{
	const RdbTableMeta *meta = RdbTableMetaOf(buffer);

	if (!rdb_is_engine_page(BufferGetPage(buffer), RDB_ENGINE_META))
		damaged(rel, RDB_META_BLOCK, "metapage");
	if (meta->header.version != RDB_META_VERSION ||
		meta->relation_kind != RDB_RELATION_COLUMNAR)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("relation \"%s\" has an unknown storage format",
						RelationGetRelationName(rel)),
				 errdetail("Its metapage has version %u and kind %u.",
						   meta->header.version, meta->relation_kind),
				 errhint("It was made by another version of rustydb_storage. Install that version, dump the table and restore it.")));
}

/* The metapage's buffer, pinned and checked. */
Buffer
rdb_map_read_meta(Relation rel)
{
	Buffer		buffer = rdb_watched_reread(rel, RDB_META_BLOCK, &cache_of(rel)->recent_meta);

	check_meta(rel, buffer);
	return buffer;
}

static bool
is_page(Buffer buffer, RdbMapTree tree, int level, uint32 index)
{
	const RdbMapPage *map = RdbMapPageOf(buffer);

	/* none of this ever changes: no lock is needed to look at it */
	return rdb_is_engine_page(BufferGetPage(buffer), RDB_ENGINE_MAP) &&
		map->header.version == RDB_MAP_VERSION && map->tree == tree &&
		map->level == level && map->index == index;
}

/* Where an inner page is; 0: nowhere. */
static BlockNumber
find_inner(Relation rel, RdbMapTree tree, uint32 inner)
{
	Buffer		meta;
	BlockNumber page;

	/* whoever asks of numbers that there cannot be must hear that there is none */
	if (inner >= nroots(tree))
		return 0;
	meta = rdb_map_read_meta(rel);
	LockBuffer(meta, BUFFER_LOCK_SHARE);
	page = RdbTableMetaOf(meta)->roots[root_index(tree, inner)];
	UnlockReleaseBuffer(meta);
	return page;
}

/* Where a leaf is, by the tree; 0: nowhere. */
static BlockNumber
find_leaf(Relation rel, RdbMapTree tree, uint32 leaf)
{
	BlockNumber inner = find_inner(rel, tree, leaf / RDB_INNER_SLOTS);
	BlockNumber page;
	Buffer		buffer;

	if (inner == 0)
		return 0;
	buffer = rdb_watched_read(rel, inner, NULL);
	if (!is_page(buffer, tree, 1, leaf / RDB_INNER_SLOTS))
		damaged(rel, inner, "inner page of the page table");
	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	page = RdbInnerSlots(RdbMapPageOf(buffer))[leaf % RDB_INNER_SLOTS];
	UnlockReleaseBuffer(buffer);
	return page;
}

/* Where a page of a tree is; 0: nowhere. */
BlockNumber
rdb_map_page_of(Relation rel, RdbMapTree tree, int level, uint32 index)
{
	return level == 1 ? find_inner(rel, tree, index) : find_leaf(rel, tree, index);
}

/* The remembered leaf's buffer, if it still is that leaf. */
static Buffer
read_cached(Relation rel, RdbMapTree tree, uint32 leaf)
{
	CachedLeaf *entry = cached(rel, tree, leaf);
	Buffer		buffer;

	if (entry->page == 0 || entry->leaf != leaf)
		return InvalidBuffer;
	buffer = rdb_watched_reread(rel, entry->page, &entry->recent);
	if (is_page(buffer, tree, 0, leaf))
		return buffer;
	ReleaseBuffer(buffer);
	entry->page = 0;
	return InvalidBuffer;
}

/* A leaf's buffer, pinned; InvalidBuffer when there is no such leaf. */
Buffer
rdb_map_read_leaf(Relation rel, RdbMapTree tree, uint32 leaf)
{
	Buffer		buffer;
	BlockNumber page;
	CachedLeaf *entry;

	if (leaf == RDB_ON_METAPAGE)
		return rdb_map_read_meta(rel);
	buffer = read_cached(rel, tree, leaf);
	if (BufferIsValid(buffer))
		return buffer;
	page = find_leaf(rel, tree, leaf);
	if (page == 0)
		return InvalidBuffer;
	buffer = rdb_watched_read(rel, page, NULL);
	if (!is_page(buffer, tree, 0, leaf))
		damaged(rel, page, "leaf of the page table");
	entry = cached(rel, tree, leaf);
	entry->leaf = leaf;
	entry->page = page;
	entry->recent = buffer;
	return buffer;
}

/* ---- growing, and giving back ---- */

uint32
rdb_map_first_number(RdbMapTree tree, int level, uint32 index)
{
	uint64		leaf = (uint64) index * (level == 0 ? 1 : RDB_INNER_SLOTS);

	return (uint32) Min(first_numbers(tree) + leaf * leaf_slots(tree), PG_UINT32_MAX);
}

/* Where a page of a tree is noted: its parent's page in memory, and the slot. */
static BlockNumber *
parent_slot(char *parent, RdbMapTree tree, int level, uint32 index)
{
	if (level == 1)
		return &((RdbTableMeta *) RdbEngineArea(parent))->roots[root_index(tree, index)];
	return &RdbInnerSlots((RdbMapPage *) RdbEngineArea(parent))[index % RDB_INNER_SLOTS];
}

/*
 * Take a page, which has no slot in use, out of its tree; unless it is not in
 * there, which a crash may have left so.  Caller holds AccessExclusiveLock and
 * cuts the page off afterwards.
 */
void
rdb_map_unlink(Relation rel, BlockNumber page, RdbMapTree tree, int level,
			   uint32 index)
{
	BlockNumber parent = level == 1 ? RDB_META_BLOCK :
		find_inner(rel, tree, index / RDB_INNER_SLOTS);
	Buffer		buffer;

	if (level == 0 && parent == 0)
		return;
	buffer = rdb_watched_read(rel, parent, NULL);
	LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
	if (*parent_slot(BufferGetPage(buffer), tree, level, index) == page)
	{
		GenericXLogState *wal = GenericXLogStart(rel);

		*parent_slot((char *) GenericXLogRegisterBuffer(wal, buffer, 0), tree, level, index) = 0;
		GenericXLogFinish(wal);
	}
	UnlockReleaseBuffer(buffer);
}

/*
 * Copy a page of a tree to an empty row page without a block, and have its parent know;
 * the old one is an empty page then.  Nothing is done if it is not in its tree, which a
 * crash may have left so.  False if the other page is not empty.  Caller holds
 * AccessExclusiveLock.
 */
bool
rdb_map_move(Relation rel, BlockNumber page, BlockNumber to, RdbMapTree tree, int level,
			 uint32 index)
{
	BlockNumber parent = level == 1 ? RDB_META_BLOCK :
		find_inner(rel, tree, index / RDB_INNER_SLOTS);
	Buffer		buffers[3];
	bool		empty;

	if (level == 0 && parent == 0)
		return true;
	buffers[0] = rdb_watched_read(rel, parent, NULL);
	buffers[1] = rdb_watched_read(rel, page, NULL);
	buffers[2] = rdb_watched_read(rel, to, NULL);
	for (int i = 0; i < 3; i++)
		LockBuffer(buffers[i], BUFFER_LOCK_EXCLUSIVE);
	empty = rdb_is_empty_rows(BufferGetPage(buffers[2]));
	if (empty && *parent_slot(BufferGetPage(buffers[0]), tree, level, index) == page)
	{
		GenericXLogState *wal = GenericXLogStart(rel);
		char	   *pages[3];

		for (int i = 0; i < 3; i++)
			pages[i] = (char *) GenericXLogRegisterBuffer(wal, buffers[i], i == 0 ? 0 :
														  GENERIC_XLOG_FULL_IMAGE);
		memcpy(pages[2], pages[1], BLCKSZ);
		PageInit((Page) pages[1], BLCKSZ, 0);
		*parent_slot(pages[0], tree, level, index) = to;
		GenericXLogFinish(wal);
	}
	for (int i = 0; i < 3; i++)
		UnlockReleaseBuffer(buffers[i]);
	rdb_map_forget(rel);
	return empty;
}

/* A new page at the end of the file, all zero, locked. */
Buffer
rdb_map_extend(Relation rel)
{
	Buffer		buffer;

	LockRelationForExtension(rel, ExclusiveLock);
	buffer = ReadBufferExtended(rel, MAIN_FORKNUM, P_NEW, RBM_ZERO_AND_LOCK, NULL);
	UnlockRelationForExtension(rel, ExclusiveLock);
	return buffer;
}

/*
 * Add a page to a tree, and note it in its parent (the metapage or an inner
 * page) in the same record.  The parent is pinned.
 */
static void
add_page(Relation rel, RdbMapTree tree, int level, uint32 index, Buffer parent,
		 BlockNumber *slot)
{
	Buffer		buffer = rdb_map_extend(rel);

	LockBuffer(parent, BUFFER_LOCK_EXCLUSIVE);
	START_CRIT_SECTION();
	rdb_map_init_page(BufferGetPage(buffer), tree, level, index);
	*slot = BufferGetBlockNumber(buffer);
	MarkBufferDirty(buffer);
	MarkBufferDirty(parent);
	if (RelationNeedsWAL(rel))
		rdb_map_log_grow(buffer, parent, tree, level, index,
						 (uint16) ((char *) slot - (char *) BufferGetPage(parent)));
	END_CRIT_SECTION();
	LockBuffer(parent, BUFFER_LOCK_UNLOCK);
	UnlockReleaseBuffer(buffer);
}

static void
grow_inner(Relation rel, RdbMapTree tree, uint32 inner)
{
	Buffer		meta = rdb_map_read_meta(rel);

	add_page(rel, tree, 1, inner, meta,
			 &RdbTableMetaOf(meta)->roots[root_index(tree, inner)]);
	ReleaseBuffer(meta);
}

static void
grow_leaf(Relation rel, RdbMapTree tree, uint32 leaf)
{
	Buffer		inner = rdb_watched_read(rel, find_inner(rel, tree, leaf / RDB_INNER_SLOTS), NULL);

	add_page(rel, tree, 0, leaf, inner,
			 &RdbInnerSlots(RdbMapPageOf(inner))[leaf % RDB_INNER_SLOTS]);
	ReleaseBuffer(inner);
}

/* See to it that a leaf exists.  Caller holds no buffer lock. */
void
rdb_map_grow(Relation rel, RdbMapTree tree, uint32 leaf)
{
	LockPage(rel, RDB_META_BLOCK, ExclusiveLock);
	if (find_inner(rel, tree, leaf / RDB_INNER_SLOTS) == 0)
		grow_inner(rel, tree, leaf / RDB_INNER_SLOTS);
	if (find_leaf(rel, tree, leaf) == 0)
		grow_leaf(rel, tree, leaf);
	UnlockPage(rel, RDB_META_BLOCK, ExclusiveLock);
}
