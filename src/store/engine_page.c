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

uint32
rdb_engine_crc(const char *page)
{
	const char *area = page + SizeOfPageHeaderData;
	Size		after = offsetof(RdbEngineHeader, reserved);
	pg_crc32c	crc;

	INIT_CRC32C(crc);
	COMP_CRC32C(crc, area, offsetof(RdbEngineHeader, crc));
	COMP_CRC32C(crc, area + after, RDB_ENGINE_AREA - after);
	FIN_CRC32C(crc);
	return crc;
}

void
rdb_engine_seal(char *page)
{
	((RdbEngineHeader *) RdbEngineArea(page))->crc = rdb_engine_crc(page);
}

/* By its looks; whether it is intact is another question. */
bool
rdb_is_engine_page(const char *page, RdbEngineKind kind)
{
	const RdbEngineHeader *header = RdbEngineArea(page);

	return ((PageHeader) page)->pd_special == SizeOfPageHeaderData &&
		header->magic == RDB_ENGINE_MAGIC && header->kind == kind;
}

bool
rdb_engine_intact(const char *page)
{
	const RdbEngineHeader *header = RdbEngineArea(page);

	return header->crc == rdb_engine_crc(page);
}
