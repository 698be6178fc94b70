/*
 * verify_sql.c
 *	  SQL entry point of the checkers.
 */
#include "postgres.h"

#include "store/verify_sql.h"

#include "access/relation.h"
#include "catalog/objectaddress.h"
#include "commands/defrem.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "store/store_open.h"
#include "store/verify_map.h"
#include "store/verify_store.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

PG_FUNCTION_INFO_V1(rdb_verify);

/* Its owner's relation, with nobody writing to it. */
static Relation
open_to_verify(Oid relid)
{
	Relation	rel;

	if (get_rel_name(relid) == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation with OID %u does not exist", relid)));
	if (!rdb_compat_is_owner(relid, GetUserId()))
		aclcheck_error(ACLCHECK_NOT_OWNER, get_relkind_objtype(get_rel_relkind(relid)),
					   get_rel_name(relid));
	/* a standby's session may not take more, and its writer is replay */
	rel = relation_open(relid, RecoveryInProgress() ? RowExclusiveLock : ShareLock);
	if (RELATION_IS_OTHER_TEMP(rel))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot access temporary tables of other sessions")));
	return rel;
}

static bool
is_columnar(Relation rel)
{
	return rel->rd_rel->relkind != RELKIND_INDEX && OidIsValid(rel->rd_rel->relam) &&
		rel->rd_rel->relam == get_table_am_oid("rustydb_columnar", true);
}

/*
 * SQL: verify(rel regclass) → setof (page bigint, block bigint, problem text):
 * every inconsistency of the relation's storage, and no row if there is none.
 * Keeps writers away meanwhile (ShareLock).  Errors: 42501 for who is not the
 * owner, 42809 for what is no relation of the engine.
 */
Datum
rdb_verify(PG_FUNCTION_ARGS)
{
	Relation	rel = open_to_verify(PG_GETARG_OID(0));
	RdbVerify	verify;

	InitMaterializedSRF(fcinfo, 0);
	verify.rel = rel;
	verify.rows = ((ReturnSetInfo *) fcinfo->resultinfo)->setResult;
	verify.desc = ((ReturnSetInfo *) fcinfo->resultinfo)->setDesc;
	if (is_columnar(rel))
	{
		verify.pages = RelationGetNumberOfBlocks(rel);
		rdb_verify_map(&verify);
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
