/*
 * table_options.c
 *	  Options of single tables.
 *
 * They are rows of rustydb.table_options, (relation, name, value), which pg_dump
 * dumps.  A session keeps what it has read of a relation until the relation's
 * cache entry is invalidated, which every change of the rows does.  A relation
 * that is dropped takes its rows with it.
 */
#include "postgres.h"

#include "store/table_options.h"

#include "access/genam.h"
#include "access/table.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "catalog/objectaccess.h"
#include "catalog/pg_class.h"
#include "codec/zstd_bytes.h"
#include "commands/defrem.h"
#include "store/read_ahead.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/syscache.h"

typedef struct OptionType
{
	const char *name;
	const char *access_method;	/* whose tables have it */
	int			min;
	int			max;
} OptionType;

static const OptionType types[RDB_NOPTIONS] = {
	[RDB_OPTION_READ_AHEAD_PAGES] = {"read_ahead_pages", "rustydb_pages", 0, RDB_MAX_READ_AHEAD},
	[RDB_OPTION_ZSTD_LEVEL] = {"zstd_level", "rustydb_columnar", 0, RDB_ZSTD_MOST_LEVEL},
};

/* ---- what is an option ---- */

static Oid
access_method_of(Oid relid)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	Oid			am = InvalidOid;

	if (HeapTupleIsValid(tuple))
	{
		am = ((Form_pg_class) GETSTRUCT(tuple))->relam;
		ReleaseSysCache(tuple);
	}
	return am;
}

static bool
applies(const OptionType *type, Oid am)
{
	return OidIsValid(am) && am == get_table_am_oid(type->access_method, true);
}

static void
no_such_option(Oid relid, Oid am, const char *name)
{
	StringInfoData names;

	initStringInfo(&names);
	for (int i = 0; i < RDB_NOPTIONS; i++)
	{
		if (applies(&types[i], am))
			appendStringInfo(&names, "%s\"%s\"", names.len > 0 ? ", " : "", types[i].name);
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("table \"%s\" has no option \"%s\"", get_rel_name(relid), name),
			 names.len > 0 ? errhint("Its options are: %s.", names.data) :
			 errdetail("Tables of its access method have no options.")));
}

/*
 * Raise 22023 unless the relation has the option and may have it so.
 */
void
rdb_options_check(Oid relid, const char *name, const char *value)
{
	Oid			am = access_method_of(relid);
	const char *hint = NULL;
	int			number;

	for (int i = 0; i < RDB_NOPTIONS; i++)
	{
		if (!applies(&types[i], am) || strcmp(types[i].name, name) != 0)
			continue;
		if (!parse_int(value, &number, 0, &hint))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("invalid value for integer option \"%s\": %s", name, value),
					 hint ? errhint("%s", _(hint)) : 0));
		if (number < types[i].min || number > types[i].max)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("value %s out of bounds for option \"%s\"", value, name),
					 errdetail("Valid values are between \"%d\" and \"%d\".",
							   types[i].min, types[i].max)));
		return;
	}
	no_such_option(relid, am, name);
}

/* ---- the rows ---- */

/* The table of options, with RowExclusiveLock if it is to be changed; NULL where
 * the extension is not. */
static Relation
open_options(LOCKMODE mode)
{
	Oid			schema = get_namespace_oid("rustydb", true);
	Oid			relid = OidIsValid(schema) ? get_relname_relid("table_options", schema) : InvalidOid;

	return OidIsValid(relid) ? try_table_open(relid, mode) : NULL;
}

static SysScanDesc
scan_options(Relation options, Oid relid)
{
	Oid			index = get_relname_relid("table_options_pkey", RelationGetNamespace(options));
	ScanKeyData key;

	ScanKeyInit(&key, 1, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(relid));
	return systable_beginscan(options, index, OidIsValid(index), NULL, 1, &key);
}

/* The relation is being dropped. */
static void
forget_rows(Oid relid)
{
	Relation	options = open_options(RowExclusiveLock);
	SysScanDesc scan;
	HeapTuple	tuple;

	if (options == NULL)
		return;
	scan = scan_options(options, relid);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
		CatalogTupleDelete(options, &tuple->t_self);
	systable_endscan(scan);
	table_close(options, NoLock);
}

/* ---- what this session knows of them ---- */

typedef struct Known
{
	Oid			relid;			/* key */
	bool		is_set[RDB_NOPTIONS];
	int			values[RDB_NOPTIONS];
} Known;

static HTAB *known = NULL;
static uint64 generation = 0;	/* how often something has become unknown */

static void
invalidate(Datum arg, Oid relid)
{
	HASH_SEQ_STATUS all;
	Known	   *entry;

	(void) arg;
	generation++;
	if (OidIsValid(relid))
	{
		hash_search(known, &relid, HASH_REMOVE, NULL);
		return;
	}
	hash_seq_init(&all, known);
	while ((entry = hash_seq_search(&all)) != NULL)
		hash_search(known, &entry->relid, HASH_REMOVE, NULL);
}

static void
prepare_known(void)
{
	HASHCTL		control = {0};

	if (known)
		return;
	control.keysize = sizeof(Oid);
	control.entrysize = sizeof(Known);
	control.hcxt = CacheMemoryContext;
	known = hash_create("options of tables", 64, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	CacheRegisterRelcacheCallback(invalidate, (Datum) 0);
}

static void
note(Known *entry, Relation options, HeapTuple row)
{
	bool		is_null;
	char	   *name = TextDatumGetCString(heap_getattr(row, 2, RelationGetDescr(options), &is_null));
	char	   *value = TextDatumGetCString(heap_getattr(row, 3, RelationGetDescr(options), &is_null));

	for (int i = 0; i < RDB_NOPTIONS; i++)
	{
		/* the trigger has checked it, unless triggers were off */
		if (strcmp(types[i].name, name) == 0)
			entry->is_set[i] = parse_int(value, &entry->values[i], 0, NULL) &&
				entry->values[i] >= types[i].min && entry->values[i] <= types[i].max;
	}
}

static Known
read_options(Oid relid)
{
	Known		entry = {0};
	Relation	options = open_options(AccessShareLock);
	SysScanDesc scan;
	HeapTuple	row;

	entry.relid = relid;
	if (options == NULL)
		return entry;
	scan = scan_options(options, relid);
	while (HeapTupleIsValid(row = systable_getnext(scan)))
		note(&entry, options, row);
	systable_endscan(scan);
	table_close(options, AccessShareLock);
	return entry;
}

/* The relation's option, or otherwise if it is not set. */
int
rdb_option(Relation rel, RdbOption option, int otherwise)
{
	Oid			relid = RelationGetRelid(rel);
	Known	   *entry;

	prepare_known();
	entry = hash_search(known, &relid, HASH_FIND, NULL);
	if (entry == NULL)
	{
		uint64		before = generation;
		Known		read = read_options(relid);

		/* something was invalidated meanwhile: good for once */
		if (generation != before)
			return read.is_set[option] ? read.values[option] : otherwise;
		entry = hash_search(known, &relid, HASH_ENTER, NULL);
		*entry = read;
	}
	return entry->is_set[option] ? entry->values[option] : otherwise;
}

/* Rows of the relation have been changed: who knows them, must read them again. */
void
rdb_options_changed(Oid relid)
{
	if (SearchSysCacheExists1(RELOID, ObjectIdGetDatum(relid)))
		CacheInvalidateRelcacheByRelid(relid);
}

/* ---- the hook ---- */

static object_access_hook_type next_object_access;

static void
options_object_access(ObjectAccessType access, Oid class_id, Oid object_id,
					  int sub_id, void *arg)
{
	if (next_object_access)
		next_object_access(access, class_id, object_id, sub_id, arg);
	if (access != OAT_DROP || class_id != RelationRelationId || sub_id != 0)
		return;
	for (int i = 0; i < RDB_NOPTIONS; i++)
	{
		if (!applies(&types[i], access_method_of(object_id)))
			continue;
		forget_rows(object_id);
		return;
	}
}

void
rdb_options_hooks(void)
{
	next_object_access = object_access_hook;
	object_access_hook = options_object_access;
}
