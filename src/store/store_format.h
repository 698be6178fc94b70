/*
 * store_format.h
 *	  What the engine's own pages look like: the metapage of every relation of
 *	  the engine's access methods, and a page store's free pages.
 *
 * An engine page has no line pointers and no room for PostgreSQL's heap code
 * to find: pd_lower and pd_upper are the page header's size, and all that
 * follows is the special area.  It begins with RdbEngineHeader.
 */
#ifndef RDB_STORE_FORMAT_H
#define RDB_STORE_FORMAT_H

#include "storage/block.h"
#include "storage/bufpage.h"

#define RDB_ENGINE_MAGIC 0x52445345 /* "RDSE" */

typedef enum RdbEngineKind
{
	RDB_ENGINE_META = 1,
	RDB_ENGINE_FREE = 2,		/* a page store's page that nobody has */
	RDB_ENGINE_MAP = 3,			/* a page of a table's page table */
	RDB_ENGINE_EXTENT = 4		/* a page of an extent */
} RdbEngineKind;

typedef struct RdbEngineHeader
{
	uint32		magic;
	uint16		kind;			/* RdbEngineKind */
	uint16		version;		/* of this kind's format */
	uint32		crc;			/* CRC32C of all but this, pd_lsn, pd_checksum; 0: none */
	uint32		reserved;		/* 0 */
} RdbEngineHeader;

StaticAssertDecl(sizeof(RdbEngineHeader) == 16, "size of an engine page's header");

/* What kind of relation the metapage begins. */
typedef enum RdbRelationKind
{
	RDB_RELATION_PAGES = 1,
	RDB_RELATION_COLUMNAR = 2
} RdbRelationKind;

#define RDB_META_BLOCK 0
#define RDB_META_VERSION 1

typedef struct RdbMeta
{
	RdbEngineHeader header;
	uint32		relation_kind;	/* RdbRelationKind */
	BlockNumber npages;			/* highest page id ever handed out; 0: none */
	BlockNumber nfree;			/* pages on the free list */
	BlockNumber free_head;		/* the first of them; 0: none */
} RdbMeta;

StaticAssertDecl(sizeof(RdbMeta) == 32, "size of the metapage's contents");

#define RDB_FREE_VERSION 1

typedef struct RdbFreePage
{
	RdbEngineHeader header;
	BlockNumber next;			/* 0: the last one */
	uint32		reserved;		/* 0 */
} RdbFreePage;

StaticAssertDecl(sizeof(RdbFreePage) == 24, "size of a free page's contents");

#define RDB_ENGINE_AREA (BLCKSZ - SizeOfPageHeaderData)
#define RdbEngineArea(page) ((void *) ((char *) (page) + SizeOfPageHeaderData))

#endif							/* RDB_STORE_FORMAT_H */
