/*
 * module.c
 *	  Walks the module array at load, and again when the server asks how much
 *	  shared memory there shall be and when it is there.
 *
 * Without shared_preload_libraries there is neither shared memory nor a
 * worker.  The library still loads (a dump must be readable anywhere), but
 * whatever needs more says so through rdb_require_preload().
 */
#include "postgres.h"

#include "core/module.h"

#include "fmgr.h"
#include "miscadmin.h"
#include "storage/ipc.h"
#include "storage/lwlock.h"
#include "storage/shmem.h"

static const RdbModule *modules;
static int	nmodules;
static bool preloaded = false;

static shmem_request_hook_type prev_shmem_request_hook;
static shmem_startup_hook_type prev_shmem_startup_hook;

static void
request_shmem(void)
{
	if (prev_shmem_request_hook)
		prev_shmem_request_hook();

	for (int i = 0; i < nmodules; i++)
	{
		if (modules[i].shmem_size)
			RequestAddinShmemSpace(modules[i].shmem_size());
		if (modules[i].shmem_more)
			RequestAddinShmemSpace(modules[i].shmem_more());
	}
}

static void
startup_shmem(void)
{
	if (prev_shmem_startup_hook)
		prev_shmem_startup_hook();

	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	for (int i = 0; i < nmodules; i++)
	{
		char		name[NAMEDATALEN];
		bool		found;
		void	   *memory;

		if (!modules[i].shmem_size)
			continue;
		snprintf(name, sizeof(name), "rustydb %s", modules[i].name);
		memory = ShmemInitStruct(name, modules[i].shmem_size(), &found);
		modules[i].shmem_init(memory, found);
	}
	LWLockRelease(AddinShmemInitLock);
}

/*
 * Set up every module of the array.  Called by _PG_init; the array must live
 * as long as the process.
 */
void
rdb_modules_load(const RdbModule *array, int count)
{
	if (!process_shared_preload_libraries_in_progress)
		return;

	modules = array;
	nmodules = count;
	preloaded = true;

	for (int i = 0; i < nmodules; i++)
	{
		if (modules[i].settings)
			modules[i].settings();
	}
	for (int i = 0; i < nmodules; i++)
	{
		if (modules[i].hooks)
			modules[i].hooks();
		if (modules[i].workers)
			modules[i].workers();
	}

	prev_shmem_request_hook = shmem_request_hook;
	shmem_request_hook = request_shmem;
	prev_shmem_startup_hook = shmem_startup_hook;
	shmem_startup_hook = startup_shmem;
}

bool
rdb_is_preloaded(void)
{
	return preloaded;
}

/* Raise 55000 unless the server loaded the library at its start. */
void
rdb_require_preload(void)
{
	if (!preloaded)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("rustydb_storage must be loaded via shared_preload_libraries"),
				 errhint("Add rustydb_storage to shared_preload_libraries in postgresql.conf and restart the server.")));
}

PG_FUNCTION_INFO_V1(rdb_preload_required);

/* SQL: what the install script calls before it creates anything. */
Datum
rdb_preload_required(PG_FUNCTION_ARGS)
{
	(void) fcinfo;
	rdb_require_preload();
	PG_RETURN_VOID();
}
