/*
 * operations.c
 *	  The table of storage operations, and the view's rows.
 */
#include "postgres.h"

#include "core/operations.h"

#include "fmgr.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/tuplestore.h"

PG_FUNCTION_INFO_V1(rdb_operations_sql);

/* What has no route of its own is called by its name. */
#define BY_NAME(module, name) {module, name, "POST", "/ops/" name}

const RdbOperation rdb_operations[] = {
	BY_NAME("page", "page_new"),
	BY_NAME("page", "page_from_bytes"),
	BY_NAME("page", "page_mark_dirty"),
	BY_NAME("page", "page_reset"),
	BY_NAME("page", "page_verify_checksum"),
	BY_NAME("page", "page_update_checksum"),
	BY_NAME("page", "page_insert_record"),
	BY_NAME("page", "page_get_record"),
	BY_NAME("page", "page_delete_record"),
	BY_NAME("page", "page_update_record"),
	BY_NAME("page", "page_compact"),
	BY_NAME("page", "page_free_space"),
	BY_NAME("page", "page_should_split"),
	BY_NAME("page", "page_split"),
	BY_NAME("page", "page_should_merge"),
	BY_NAME("page", "page_merge"),
	{"disk", "disk_read_page", "GET", "/pages/{id}"},
	BY_NAME("disk", "disk_write_page"),
	{"disk", "disk_allocate_page", "POST", "/pages"},
	BY_NAME("disk", "disk_flush_all_writes"),
	BY_NAME("disk", "disk_get_num_pages"),
	{"disk", "disk_read_pages_vectored", "POST", "/io/vectored-read"},
	{"disk", "disk_write_pages_vectored", "POST", "/io/vectored-write"},
	BY_NAME("disk", "disk_write_page_coalesced"),
	BY_NAME("disk", "disk_flush_coalesced_writes"),
	BY_NAME("disk", "disk_read_page_io_uring"),
	BY_NAME("disk", "disk_write_page_io_uring"),
	BY_NAME("disk", "disk_read_page_async"),
	BY_NAME("disk", "disk_write_page_async"),
	BY_NAME("disk", "disk_process_async_ops"),
	{"disk", "disk_get_stats", "GET", "/io-stats"},
	BY_NAME("disk", "disk_reset_stats"),
	BY_NAME("disk", "disk_compute_hardware_checksum"),
	BY_NAME("disk", "disk_calculate_iops"),
	BY_NAME("buffer", "buffer_fetch_page"),
	BY_NAME("buffer", "buffer_new_page"),
	BY_NAME("buffer", "buffer_flush_page"),
	{"buffer", "buffer_flush_all", "POST", "/buffer-pool/flush"},
	BY_NAME("buffer", "buffer_unpin_page"),
	{"buffer", "buffer_stats", "GET", "/buffer-pool"},
	{"columnar", "columnar_insert_batch", "POST", "/columnar/{name}/batch"},
	{"columnar", "columnar_scan_column", "GET", "/columnar/{name}/column/{col}"},
	{"columnar", "columnar_project", "GET", "/columnar/{name}/project"},
	{"columnar", "columnar_column_stats", "GET", "/columnar/{name}/stats/{col}"},
};

int
rdb_noperations(void)
{
	return lengthof(rdb_operations);
}

/* SQL: operations() → setof (module, operation, method, path text). */
Datum
rdb_operations_sql(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < rdb_noperations(); i++)
	{
		const RdbOperation *operation = &rdb_operations[i];
		Datum		values[4];
		bool		nulls[4] = {false};

		values[0] = CStringGetTextDatum(operation->module);
		values[1] = CStringGetTextDatum(operation->name);
		values[2] = CStringGetTextDatum(operation->method);
		values[3] = CStringGetTextDatum(psprintf("/api/v1/storage%s", operation->path));
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}
