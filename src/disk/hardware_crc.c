/*
 * hardware_crc.c
 *	  disk_compute_hardware_checksum(): the CRC that pages are sealed with, of
 *	  any bytes.
 */
#include "postgres.h"

#include "disk/hardware_crc.h"

#include "compat/compat.h"
#include "disk/io_count.h"
#include "page/page_crc.h"

PG_FUNCTION_INFO_V1(rdb_disk_compute_hardware_checksum_sql);

/*
 * SQL: disk_compute_hardware_checksum(data bytea) → bigint: CRC-32C, by the
 * processor's instruction where it has one.
 */
Datum
rdb_disk_compute_hardware_checksum_sql(PG_FUNCTION_ARGS)
{
	bytea	   *data = PG_GETARG_BYTEA_PP(0);

	if (rdb_crc32c_in_hardware())
		rdb_io_count(RDB_IO_CRC_OPS, 1);
	PG_RETURN_INT64((int64) rdb_crc32c(VARDATA_ANY(data), VARSIZE_ANY_EXHDR(data)));
}
