/*
 * verify_sql.c
 *	  SQL entry point of the checkers.
 */
#include "postgres.h"

#include "columnar/verify_sql.h"

#include "columnar/verify_groups.h"
#include "commands/defrem.h"
#include "funcapi.h"
#include "store/store_open.h"
#include "store/verify_map.h"
#include "store/verify_store.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

PG_FUNCTION_INFO_V1(rdb_verify);

static bool
is_columnar(Relation rel)
{
	return rel->rd_rel->relkind != RELKIND_INDEX && OidIsValid(rel->rd_rel->relam) &&
		rel->rd_rel->relam == get_table_am_oid("rustydb_columnar", true);
}

/*
 * SQL: verify(rel regclass) → setof (page bigint, block bigint, problem text):
 * every inconsistency of the relation's storage, and no row if there is none.
 * Keeps writers and row lockers away meanwhile (ExclusiveLock).  Errors: 42501 for who is not the
 * owner, 42809 for what is no relation of the engine.
 */
Datum
rdb_verify(PG_FUNCTION_ARGS)
{
	/* a standby's session may not take more, and its writer is replay */
	LOCKMODE	mode = RecoveryInProgress() ? RowExclusiveLock : ExclusiveLock;
	Relation	rel = rdb_owned_relation_open(PG_GETARG_OID(0), mode);
	RdbVerify	verify = {0};

	InitMaterializedSRF(fcinfo, 0);
	verify.rel = rel;
	verify.rows = ((ReturnSetInfo *) fcinfo->resultinfo)->setResult;
	verify.desc = ((ReturnSetInfo *) fcinfo->resultinfo)->setDesc;
	if (is_columnar(rel))
	{
		verify.pages = RelationGetNumberOfBlocks(rel);
		rdb_verify_map(&verify);
		rdb_verify_groups(&verify);
	}
	else if (rdb_is_page_store(rel))
	{
		verify.pages = RelationGetNumberOfBlocks(rel);
		rdb_verify_store(&verify);
	}
	else
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is not stored by rustydb_storage", RelationGetRelationName(rel))));
	RelationClose(rel);
	return (Datum) 0;
}
