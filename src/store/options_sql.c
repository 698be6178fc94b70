/*
 * options_sql.c
 *	  SQL entry points of options of tables.
 */
#include "postgres.h"

#include "store/options_sql.h"

#include "access/relation.h"
#include "catalog/namespace.h"
#include "catalog/pg_type_d.h"
#include "commands/trigger.h"
#include "core/module.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "store/store_open.h"
#include "store/table_options.h"
#include "tcop/utility.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

PG_FUNCTION_INFO_V1(rdb_set_table_option);
PG_FUNCTION_INFO_V1(rdb_table_option_changed);

static Oid
owner_of_options(void)
{
	Relation	options = relation_open(get_relname_relid("table_options", get_namespace_oid("rustydb", false)),
										AccessShareLock);
	Oid			owner = options->rd_rel->relowner;

	relation_close(options, AccessShareLock);
	return owner;
}

/* Change the rows, on behalf of their owner; their trigger does the rest. */
static void
change_rows(Oid relid, Datum name, Datum value, bool reset)
{
	Oid			types[3] = {REGCLASSOID, TEXTOID, TEXTOID};
	Datum		values[3] = {ObjectIdGetDatum(relid), name, value};
	Oid			user;
	int			context;

	GetUserIdAndSecContext(&user, &context);
	SetUserIdAndSecContext(owner_of_options(), context | SECURITY_LOCAL_USERID_CHANGE |
						   SECURITY_RESTRICTED_OPERATION);
	SPI_connect();
	if (reset)
		SPI_execute_with_args("DELETE FROM rustydb.table_options"
							  " WHERE relation OPERATOR(pg_catalog.=) $1 AND name OPERATOR(pg_catalog.=) $2",
							  2, types, values, NULL, false, 0);
	else
		SPI_execute_with_args("INSERT INTO rustydb.table_options AS o (relation, name, value) VALUES ($1, $2, $3)"
							  " ON CONFLICT (relation, name) DO UPDATE SET value = EXCLUDED.value",
							  3, types, values, NULL, false, 0);
	SPI_finish();
	SetUserIdAndSecContext(user, context);
}

/*
 * SQL: set_table_option(tbl regclass, name text, value text) → void: NULL as value
 * takes the option back.  Errors: 42501 for who is not the owner, 22023 for an
 * option that the table does not have, or a value that it cannot have.
 */
Datum
rdb_set_table_option(PG_FUNCTION_ARGS)
{
	Relation	rel;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("table and name of an option must not be null")));
	rdb_require_preload();
	PreventCommandIfReadOnly("rustydb.set_table_option()");
	/* as ALTER TABLE SET */
	rel = rdb_owned_relation_open(PG_GETARG_OID(0), ShareUpdateExclusiveLock);
	if (!PG_ARGISNULL(2))
		rdb_options_check(RelationGetRelid(rel), text_to_cstring(PG_GETARG_TEXT_PP(1)),
						  text_to_cstring(PG_GETARG_TEXT_PP(2)));
	change_rows(RelationGetRelid(rel), PG_GETARG_DATUM(1),
				PG_ARGISNULL(2) ? (Datum) 0 : PG_GETARG_DATUM(2), PG_ARGISNULL(2));
	RelationClose(rel);
	PG_RETURN_VOID();
}

static void
told(HeapTuple row, TupleDesc desc)
{
	bool		is_null;
	Oid			relid = DatumGetObjectId(heap_getattr(row, 1, desc, &is_null));

	if (!is_null)
		rdb_options_changed(relid);
}

/* NULLs are left to the columns' constraints, which are checked later. */
static void
check(HeapTuple row, TupleDesc desc)
{
	Datum		columns[3];
	bool		nulls[3];

	for (int i = 0; i < 3; i++)
	{
		columns[i] = heap_getattr(row, i + 1, desc, &nulls[i]);
		if (nulls[i])
			return;
	}
	rdb_options_check(DatumGetObjectId(columns[0]), TextDatumGetCString(columns[1]),
					  TextDatumGetCString(columns[2]));
}

/*
 * SQL: table_option_changed() → trigger, before each row of rustydb.table_options
 * is changed, and before TRUNCATE: refuses what is no option (22023), also of
 * pg_restore's, and has everybody read the table's options again.
 */
Datum
rdb_table_option_changed(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	TupleDesc	desc;
	HeapTuple	after;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_BEFORE(trigger->tg_event) ||
		(!TRIGGER_FIRED_FOR_ROW(trigger->tg_event) &&
		 !TRIGGER_FIRED_BY_TRUNCATE(trigger->tg_event)))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" must be a trigger before each row, or before TRUNCATE",
						"rustydb.table_option_changed")));
	if (TRIGGER_FIRED_BY_TRUNCATE(trigger->tg_event))
	{
		CacheInvalidateRelcacheAll();
		return PointerGetDatum(NULL);
	}
	desc = RelationGetDescr(trigger->tg_relation);
	after = TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) ? trigger->tg_newtuple : trigger->tg_trigtuple;
	told(trigger->tg_trigtuple, desc);
	told(after, desc);
	if (!TRIGGER_FIRED_BY_DELETE(trigger->tg_event))
		check(after, desc);
	return PointerGetDatum(after);
}
