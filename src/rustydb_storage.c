/*
 * rustydb_storage.c
 *	  The library's entry point, and its architecture: a row a room, lowest
 *	  layer first.
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/guc.h"

#include "buffer/block_cache.h"
#include "buffer/buffer.h"
#include "buffer/pins.h"
#include "columnar/columnar.h"
#include "core/module.h"
#include "disk/disk.h"
#include "events/events.h"
#include "store/store.h"
#include "store/work_notes.h"
#include "workers/launcher.h"
#include "workers/roster.h"
#include "workers/sessions.h"

PG_MODULE_MAGIC;

/*
 * Hooks are chained in this order, so of two rooms that hook the same place
 * the upper one runs first: sessions (DROP DATABASE) before interest (LISTEN).
 */
static const RdbModule modules[] = {
	{"events", rdb_events_settings, rdb_events_shmem_size, rdb_events_shmem_init,
	rdb_events_hooks, NULL, NULL},
	{"disk", rdb_disk_settings, rdb_disk_shmem_size, rdb_disk_shmem_init,
	rdb_disk_hooks, NULL, NULL},
	{"buffer", rdb_buffer_settings, rdb_block_cache_shmem_size, rdb_block_cache_shmem_init,
	rdb_pins_hooks, NULL, rdb_block_cache_shmem_more},
	{"store", rdb_store_settings, rdb_work_shmem_size, rdb_work_shmem_init,
	rdb_store_hooks, NULL, NULL},
	{"columnar", rdb_columnar_settings, NULL, NULL, rdb_columnar_hooks, NULL, NULL},
	{"workers", NULL, rdb_roster_shmem_size, rdb_roster_shmem_init,
	rdb_sessions_hooks, rdb_launcher_register, NULL},
};

void		_PG_init(void);

void
_PG_init(void)
{
	rdb_modules_load(modules, lengthof(modules));
	if (rdb_is_preloaded())
		MarkGUCPrefixReserved("rustydb");
}
