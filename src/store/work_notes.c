/*
 * work_notes.c
 *	  Tables that have got blocks which may settle one day.
 *
 * Whoever gives a page its block, or thaws one, notes the table in shared memory, and
 * wakes the launcher if it was not noted already.  The notes are a small hash table with
 * few places for each table; where all are taken VACUUM does the work.
 */
#include "postgres.h"

#include "store/work_notes.h"

#include "common/hashfn.h"
#include "events/interest.h"
#include "miscadmin.h"
#include "port/atomics.h"
#include "storage/shmem.h"

#define PLACES 1024
#define TRIES 8

/* Database above, table below; 0: none. */
typedef pg_atomic_uint64 Note;

static Note *notes;

Size
rdb_work_shmem_size(void)
{
	return PLACES * sizeof(Note);
}

void
rdb_work_shmem_init(void *memory, bool found)
{
	notes = memory;
	for (int i = 0; i < PLACES && !found; i++)
		pg_atomic_init_u64(&notes[i], 0);
}

static uint64
key_of(Oid database, Oid table)
{
	return (uint64) database << 32 | table;
}

static Note *
place(uint64 key, int attempt)
{
	return &notes[(murmurhash32((uint32) key ^ (uint32) (key >> 32)) + (uint32) attempt) % PLACES];
}

static Note *
find(uint64 key)
{
	for (int i = 0; i < TRIES; i++)
	{
		if (pg_atomic_read_u64(place(key, i)) == key)
			return place(key, i);
	}
	return NULL;
}

/* The table has a block on a row page that it did not have, or not there. */
void
rdb_work_note(Relation rel)
{
	static Note *last = NULL;
	uint64		key = key_of(MyDatabaseId, RelationGetRelid(rel));

	if (notes == NULL || RelationUsesLocalBuffers(rel) ||
		(last != NULL && pg_atomic_read_u64(last) == key))
		return;
	last = find(key);
	for (int i = 0; i < TRIES && last == NULL; i++)
	{
		uint64		none = 0;

		if (!pg_atomic_compare_exchange_u64(place(key, i), &none, key) && none != key)
			continue;
		last = place(key, i);
		rdb_interest_wake_watcher();
	}
}

/* Databases with noted tables, each once; returns how many. */
int
rdb_work_databases(Oid *databases, int most)
{
	int			n = 0;

	for (int i = 0; i < PLACES && n < most; i++)
	{
		Oid			database = (Oid) (pg_atomic_read_u64(&notes[i]) >> 32);
		int			j = 0;

		while (j < n && databases[j] != database)
			j++;
		if (OidIsValid(database) && j == n)
			databases[n++] = database;
	}
	return n;
}

/* A database's noted tables; returns how many. */
int
rdb_work_tables(Oid database, Oid *tables, int most)
{
	int			n = 0;

	for (int i = 0; i < PLACES && n < most; i++)
	{
		uint64		key = pg_atomic_read_u64(&notes[i]);

		if ((Oid) (key >> 32) == database && key != 0)
			tables[n++] = (Oid) key;
	}
	return n;
}

/* Forget a table; before it is looked at, so that what comes then is noted again. */
void
rdb_work_done(Oid database, Oid table)
{
	uint64		key = key_of(database, table);
	Note	   *note = find(key);

	if (note != NULL)
		pg_atomic_compare_exchange_u64(note, &key, 0);
}

/* A database is gone, and all its tables. */
void
rdb_work_forget(Oid database)
{
	for (int i = 0; i < PLACES; i++)
	{
		uint64		key = pg_atomic_read_u64(&notes[i]);

		if ((Oid) (key >> 32) == database)
			pg_atomic_compare_exchange_u64(&notes[i], &key, 0);
	}
}
