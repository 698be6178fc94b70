/*
 * types.h
 *	  The 24 event types in their 6 categories: one table, which the envelope,
 *	  the SQL views, the publisher and later the gateway all read.
 */
#ifndef RDB_TYPES_H
#define RDB_TYPES_H

#include "compat/compat.h"

typedef enum RdbCategory
{
	RDB_BUFFER_POOL,
	RDB_LSM,
	RDB_IO,
	RDB_TIERS,
	RDB_PAGES,
	RDB_COLUMNAR
} RdbCategory;

#define RDB_NCATEGORIES 6
#define RDB_CATEGORY_BIT(c) (1U << (c))
#define RDB_ALL_CATEGORIES ((1U << RDB_NCATEGORIES) - 1)

typedef enum RdbEventType
{
	RDB_PAGE_HIT,
	RDB_PAGE_MISS,
	RDB_PAGE_EVICTED,
	RDB_PAGE_FLUSHED,
	RDB_POOL_STATS,
	RDB_MEMTABLE_FLUSHED,
	RDB_COMPACTION_STARTED,
	RDB_COMPACTION_COMPLETED,
	RDB_LEVEL_MIGRATION,
	RDB_READ_COMPLETED,
	RDB_WRITE_COMPLETED,
	RDB_VECTORED_READ,
	RDB_VECTORED_WRITE,
	RDB_IO_STATS,
	RDB_PAGE_MIGRATED,
	RDB_TIER_STATS,
	RDB_PAGE_ALLOCATED,
	RDB_PAGE_SPLIT,
	RDB_PAGE_MERGED,
	RDB_PAGE_COMPACTED,
	RDB_CHECKSUM_FAILURE,
	RDB_BATCH_INSERTED,
	RDB_COLUMN_SCANNED,
	RDB_ENCODING_CHANGED
} RdbEventType;

#define RDB_NEVENT_TYPES 24

typedef enum RdbFieldKind
{
	RDB_FIELD_INT,				/* num[].i, taken in the order of the fields */
	RDB_FIELD_FLOAT,			/* num[].f */
	RDB_FIELD_TEXT				/* the next string of text[] */
} RdbFieldKind;

typedef struct RdbField
{
	const char *name;			/* NULL ends the list */
	RdbFieldKind kind;
} RdbField;

#define RDB_MAX_FIELDS 8

typedef struct RdbCategoryInfo
{
	const char *name;			/* "buffer_pool": settings, SQL */
	const char *message_type;	/* "buffer_pool_event" */
	const char *channel;		/* "rustydb_buffer_pool" */
	int			default_tick_ms;
} RdbCategoryInfo;

typedef struct RdbTypeInfo
{
	RdbCategory category;
	const char *name;			/* "PageHit" */
	bool		on_demand;		/* made only while somebody consumes them */
	bool		thinnable;		/* one may stand for several (weight) */
	bool		has_relation;	/* carries the relation of its page */
	RdbField	fields[RDB_MAX_FIELDS + 1];
} RdbTypeInfo;

extern const RdbCategoryInfo rdb_categories[RDB_NCATEGORIES];
extern RDB_EXPORT const RdbTypeInfo rdb_event_types[RDB_NEVENT_TYPES];

extern int	rdb_category_by_name(const char *name);
extern int	rdb_category_by_channel(const char *channel);

#endif							/* RDB_TYPES_H */
