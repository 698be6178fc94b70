/*
 * engine_page.c
 *	  The engine's own pages; see store_format.h.
 */
#include "postgres.h"

#include "store/engine_page.h"

#include "port/pg_crc32c.h"

/* Make an empty engine page; returns its area, header filled in. */
void *
rdb_engine_init(char *page, RdbEngineKind kind, uint16 version)
{
	RdbEngineHeader *header;

	PageInit((Page) page, BLCKSZ, RDB_ENGINE_AREA);
	header = RdbEngineArea(page);
	header->magic = RDB_ENGINE_MAGIC;
	header->kind = kind;
	header->version = version;
	return header;
}

/* Of all but the CRC itself, and pd_lsn and pd_checksum at the beginning. */
uint32
rdb_engine_crc(const char *page)
{
	Size		from = offsetof(PageHeaderData, pd_flags);
	Size		stored = SizeOfPageHeaderData + offsetof(RdbEngineHeader, crc);
	Size		after = SizeOfPageHeaderData + offsetof(RdbEngineHeader, reserved);
	pg_crc32c	crc;

	INIT_CRC32C(crc);
	COMP_CRC32C(crc, page + from, stored - from);
	COMP_CRC32C(crc, page + after, BLCKSZ - after);
	FIN_CRC32C(crc);
	return crc;
}

uint32
rdb_engine_stored_crc(const char *page)
{
	return ((const RdbEngineHeader *) RdbEngineArea(page))->crc;
}

void
rdb_engine_seal(char *page)
{
	((RdbEngineHeader *) RdbEngineArea(page))->crc = rdb_engine_crc(page);
}

bool
rdb_engine_intact(const char *page)
{
	return rdb_engine_stored_crc(page) == rdb_engine_crc(page);
}
