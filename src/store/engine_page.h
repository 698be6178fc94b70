/*
 * engine_page.h
 *	  Making and checking the engine's own pages (store_format.h).
 */
#ifndef RDB_ENGINE_PAGE_H
#define RDB_ENGINE_PAGE_H

#include "compat/compat.h"
#include "store/store_format.h"

extern void *rdb_engine_init(char *page, RdbEngineKind kind, uint16 version);
extern void rdb_engine_seal(char *page);
extern uint32 rdb_engine_crc(const char *page);
extern uint32 rdb_engine_stored_crc(const char *page);
extern bool rdb_engine_intact(const char *page);

/* One of the engine's own pages, of that kind, if it is what it says. */
static inline bool
rdb_is_engine_page(const char *page, RdbEngineKind kind)
{
	const RdbEngineHeader *header = RdbEngineArea(page);

	return ((PageHeader) page)->pd_special == SizeOfPageHeaderData &&
		header->magic == RDB_ENGINE_MAGIC && header->kind == kind;
}

#endif							/* RDB_ENGINE_PAGE_H */
