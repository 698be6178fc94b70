/*
 * agg_groups.c
 *	  The groups of a GROUP BY: their keys, and the states of their aggregates.
 *
 * A key is bytes: of each column one that says whether it is NULL, then 8 of an integer, or
 * the length and the bytes of a string.  Only types are grouped by whose values are equal
 * if their bytes are.
 *
 * Groups that do not fit into memory are not kept on disk, but left for another pass over
 * the table: a pass is for those whose hash begins with certain bits, and when there are
 * too many, for half of them.
 */
#include "postgres.h"

#include "columnar/agg_groups.h"

#include "catalog/pg_type_d.h"
#include "common/hashfn.h"
#include "columnar/scan_values.h"
#include "compat/compat.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/typcache.h"

#define MOST_BITS 24

typedef struct Key
{
	const char *bytes;
	uint32		length;
	uint32		hash;
} Key;

typedef struct Entry
{
	Key			key;
	RdbAggGroup *group;
	char		status;
} Entry;

#define SH_PREFIX entries
#define SH_ELEMENT_TYPE Entry
#define SH_KEY_TYPE Key
#define SH_KEY key
#define SH_HASH_KEY(table, key) (key).hash
#define SH_EQUAL(table, a, b) \
	((a).hash == (b).hash && (a).length == (b).length && memcmp((a).bytes, (b).bytes, (a).length) == 0)
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

/* Hashes that begin with such bits. */
typedef struct Pass
{
	int			bits;			/* how many, 0 to MOST_BITS */
	uint32		value;
} Pass;

struct RdbAggGroups
{
	const RdbAggKey *keys;
	int			nkeys;
	int			naggs;
	Size		room;			/* bytes that groups should not exceed */
	MemoryContext context;
	entries_hash *table;
	Size		used;
	Pass		pass;
	int			passes;
	int			nlater;
	Pass		later[MOST_BITS];
	entries_iterator reading;
	StringInfoData key;			/* that is looked for */
	RdbCodesWork *work;
	RdbCodes	codes;
	RdbCodes	more;
	uint16		kept[RDB_CHUNK_ROWS];
	RdbAggState *states[RDB_CHUNK_ROWS];
};

/* Whether a column can be grouped by: with its type's own equality, which is that of the
 * bytes. */
bool
rdb_groups_is_key(Oid type, int32 typmod, Oid collation, Oid equality)
{
	Oid			base = getBaseTypeAndTypmod(type, &typmod);

	if (lookup_type_cache(base, TYPECACHE_EQ_OPR)->eq_opr != equality)
		return false;
	switch (base)
	{
		case BOOLOID:
		case CHAROID:
		case INT2OID:
		case INT4OID:
		case INT8OID:
		case OIDOID:
		case DATEOID:
		case TIMEOID:
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
		case UUIDOID:
		case MACADDROID:
		case BYTEAOID:
			return true;
		case TEXTOID:
		case VARCHAROID:
			return OidIsValid(collation) && get_collation_isdeterministic(collation);
		case BPCHAROID:
			/* all are of the same length, or trailing spaces would have to be left out */
			return typmod >= 0 && OidIsValid(collation) && get_collation_isdeterministic(collation);
		default:
			return get_typtype(base) == TYPTYPE_ENUM;
	}
}

/* ---- passes ---- */

/* Groups of so many aggregates, in the current memory context; room: bytes they may take. */
RdbAggGroups *
rdb_groups_make(const RdbAggKey *keys, int nkeys, int naggs, Size room)
{
	RdbAggGroups *groups = palloc0(sizeof(RdbAggGroups));

	groups->keys = keys;
	groups->nkeys = nkeys;
	groups->naggs = naggs;
	groups->room = room;
	groups->context = AllocSetContextCreate(CurrentMemoryContext, "groups", ALLOCSET_DEFAULT_SIZES);
	groups->work = rdb_codes_work();
	initStringInfo(&groups->key);
	rdb_groups_restart(groups);
	return groups;
}

/* Where they are: what states refer to is there, too, and goes with them. */
MemoryContext
rdb_groups_context(const RdbAggGroups *groups)
{
	return groups->context;
}

static void
begin_pass(RdbAggGroups *groups, Pass pass)
{
	MemoryContextReset(groups->context);
	groups->table = entries_create(groups->context, 64, NULL);
	groups->used = 0;
	groups->pass = pass;
	groups->passes++;
}

/* Forget all, and begin with the first pass. */
void
rdb_groups_restart(RdbAggGroups *groups)
{
	groups->nlater = groups->passes = 0;
	begin_pass(groups, (Pass) {0, 0});
}

/* Forget all, and go on to the next pass; false: there is none. */
bool
rdb_groups_next_pass(RdbAggGroups *groups)
{
	if (groups->nlater == 0)
		return false;
	begin_pass(groups, groups->later[--groups->nlater]);
	return true;
}

int
rdb_groups_passes(const RdbAggGroups *groups)
{
	return groups->passes;
}

static bool
is_of_pass(const RdbAggGroups *groups, uint32 hash)
{
	return groups->pass.bits == 0 || hash >> (32 - groups->pass.bits) == groups->pass.value;
}

static void
drop(RdbAggGroups *groups, Entry *entry)
{
	RdbAggGroup *group = entry->group;

	for (int i = 0; i < groups->naggs; i++)
	{
		if (group->states[i].rest)
			pfree(group->states[i].rest);
	}
	groups->used -= GetMemoryChunkSpace(group);
	entries_delete_item(groups->table, entry);
	pfree(group);
}

/* Leave half of the groups for later while they take more room than they may. */
void
rdb_groups_make_room(RdbAggGroups *groups)
{
	/* the table has room for about twice as many as it needs */
	while (groups->used + 2 * groups->table->members * sizeof(Entry) > groups->room &&
		   groups->pass.bits < MOST_BITS && groups->table->members > 1)
	{
		Pass	   *pass = &groups->pass;
		entries_iterator iterator;
		Entry	   *entry;

		pass->bits++;
		pass->value <<= 1;
		groups->later[groups->nlater++] = (Pass) {pass->bits, pass->value | 1};
		entries_start_iterate(groups->table, &iterator);
		while ((entry = entries_iterate(groups->table, &iterator)) != NULL)
		{
			if (!is_of_pass(groups, entry->key.hash))
				drop(groups, entry);
		}
	}
}

/* ---- keys ---- */

static void
put_int(StringInfo key, int64 value)
{
	appendStringInfoChar(key, 1);
	appendBinaryStringInfo(key, (const char *) &value, sizeof(value));
}

static void
put_bytes(StringInfo key, const void *data, uint32 length)
{
	appendStringInfoChar(key, 1);
	appendBinaryStringInfo(key, (const char *) &length, sizeof(length));
	appendBinaryStringInfo(key, data, (int) length);
}

static RdbAggGroup *
make_group(RdbAggGroups *groups, const Key *key)
{
	Size		size = offsetof(RdbAggGroup, states) + groups->naggs * sizeof(RdbAggState);
	RdbAggGroup *group = MemoryContextAlloc(groups->context, size + key->length);

	memset(group, 0, size);
	group->hash = key->hash;
	group->key_length = key->length;
	memcpy((char *) group + size, key->bytes, key->length);
	groups->used += GetMemoryChunkSpace(group);
	return group;
}

static const char *
key_of(const RdbAggGroups *groups, const RdbAggGroup *group)
{
	return (const char *) &group->states[groups->naggs];
}

/* The states of the group whose key is there; NULL: another pass has it. */
static RdbAggState *
look_up(RdbAggGroups *groups)
{
	Key			key = {groups->key.data, (uint32) groups->key.len, 0};
	Entry	   *entry;
	bool		found;

	key.hash = hash_bytes((const unsigned char *) key.bytes, (int) key.length);
	if (!is_of_pass(groups, key.hash))
		return NULL;
	entry = entries_insert(groups->table, key, &found);
	if (!found)
	{
		entry->group = make_group(groups, &key);
		entry->key.bytes = key_of(groups, entry->group);
	}
	return entry->group->states;
}

/* The states of a row's group; NULL: it is not one of this pass.  What is detoasted is in
 * the current memory context. */
RdbAggState *
rdb_groups_of_row(RdbAggGroups *groups, const Datum *values, const bool *nulls)
{
	resetStringInfo(&groups->key);
	for (int i = 0; i < groups->nkeys; i++)
	{
		const RdbAggKey *key = &groups->keys[i];
		Datum		value = values[key->attno - 1];

		if (nulls[key->attno - 1])
			appendStringInfoChar(&groups->key, 0);
		else if (key->by_value)
			put_int(&groups->key, rdb_by_value_int(value, key->length));
		else if (key->length > 0)
			put_bytes(&groups->key, DatumGetPointer(value), (uint32) key->length);
		else
		{
			struct varlena *bytes = PG_DETOAST_DATUM_PACKED(value);

			put_bytes(&groups->key, VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes));
		}
	}
	return look_up(groups);
}

static void
put_key_of(RdbAggGroups *groups, const RdbAggColumn *columns, uint32 row)
{
	resetStringInfo(&groups->key);
	for (int i = 0; i < groups->nkeys; i++)
	{
		const RdbVector *vector = columns[i].data->vector;

		if (vector->nulls > 0 && vector->is_null[row])
			appendStringInfoChar(&groups->key, 0);
		else if (vector->kind == RDB_CHUNK_INTS)
			put_int(&groups->key, vector->values.ints[row]);
		else
			put_bytes(&groups->key, vector->values.bytes[row].data, vector->values.bytes[row].length);
	}
}

/* A group's key as Datums, by column in the order of the keys; they lie in the group, or in
 * the current memory context. */
void
rdb_groups_key(const RdbAggGroups *groups, const RdbAggGroup *group, Datum *values, bool *nulls)
{
	const char *at = key_of(groups, group);

	for (int i = 0; i < groups->nkeys; i++)
	{
		const RdbAggKey *key = &groups->keys[i];
		uint32		length;
		int64		value;

		nulls[i] = *at++ == 0;
		values[i] = (Datum) 0;
		if (nulls[i])
			continue;
		if (key->by_value)
		{
			memcpy(&value, at, sizeof(value));
			values[i] = rdb_by_value_datum(value, key->length);
			at += sizeof(value);
			continue;
		}
		memcpy(&length, at, sizeof(length));
		at += sizeof(length);
		values[i] = key->length > 0 ? PointerGetDatum(memcpy(palloc(length), at, length)) :
			PointerGetDatum(cstring_to_text_with_len(at, (int) length));
		at += length;
	}
}

/* ---- slices ---- */

/* Whether a column's values lie in the chunk as they are in keys. */
static bool
lends_itself(const RdbAggKey *key, const RdbColumnData *data)
{
	if (data == NULL || data->has_shapes)
		return false;
	return data->form == (key->by_value ? RDB_FORM_VALUE : key->length > 0 ? RDB_FORM_BYTES :
						  RDB_FORM_VARLENA);
}

static void
code_slice(RdbAggGroups *groups, const RdbAggColumn *columns, const RdbSelection *selection)
{
	for (int i = 0; i < groups->nkeys; i++)
	{
		RdbCodes   *codes = i == 0 ? &groups->codes : &groups->more;
		const RdbVector *vector = columns[i].data->vector;

		if (vector->kind == RDB_CHUNK_INTS)
			rdb_codes_of_ints(groups->work, vector, selection, codes);
		else
			rdb_codes_of_bytes(groups->work, vector, columns[i].is_shared, selection, codes);
		if (i > 0)
			rdb_codes_combine(groups->work, &groups->codes, codes, selection->n);
	}
}

/* Leave out rows whose groups are for another pass. */
static void
keep_rows_of_pass(RdbAggGroups *groups, RdbSelection *selection)
{
	RdbCodes   *codes = &groups->codes;
	uint32		n = 0;

	for (uint32 i = 0; i < selection->n; i++)
	{
		groups->kept[n] = selection->rows[i];
		codes->of[n] = codes->of[i];
		n += groups->states[codes->of[i]] != NULL;
	}
	selection->rows = groups->kept;
	selection->is_run = selection->is_run && n == selection->n;
	selection->n = n;
}

/*
 * The groups of a slice's rows, as the target of aggregates; rows whose groups are for
 * another pass leave the selection, and there may be none then.  False, and nothing is
 * done, if a column does not lend itself: rows must be asked.  What is returned stays
 * until the next call.
 */
bool
rdb_groups_of_slice(RdbAggGroups *groups, const RdbAggColumn *columns, RdbSelection *selection,
					RdbAggTarget *target)
{
	bool		all = true;

	for (int i = 0; i < groups->nkeys; i++)
	{
		if (!lends_itself(&groups->keys[i], columns[i].data))
			return false;
	}
	code_slice(groups, columns, selection);
	for (uint32 i = 0; i < groups->codes.n; i++)
	{
		put_key_of(groups, columns, selection->rows[groups->codes.first[i]]);
		groups->states[i] = look_up(groups);
		all &= groups->states[i] != NULL;
	}
	if (!all)
		keep_rows_of_pass(groups, selection);
	target->states = groups->states;
	target->groups = groups->codes.of;
	return true;
}

/* ---- reading ---- */

void
rdb_groups_begin_reading(RdbAggGroups *groups)
{
	entries_start_iterate(groups->table, &groups->reading);
}

/* The next group; NULL: there are no more. */
const RdbAggGroup *
rdb_groups_read(RdbAggGroups *groups)
{
	Entry	   *entry = entries_iterate(groups->table, &groups->reading);

	return entry ? entry->group : NULL;
}
