/*
 * scan_quals.h
 *	  Simple conditions on columns, evaluated on chunks.
 */
#ifndef RDB_SCAN_QUALS_H
#define RDB_SCAN_QUALS_H

#include "columnar/group_order.h"
#include "columnar/group_read.h"
#include "nodes/execnodes.h"
#include "nodes/pathnodes.h"

typedef enum RdbQualKind
{
	RDB_QUAL_COMPARE,			/* column and value */
	RDB_QUAL_ANY,				/* equal to one of an array */
	RDB_QUAL_NULL,
	RDB_QUAL_NOT_NULL,
	RDB_QUAL_TRUE,				/* a boolean column */
	RDB_QUAL_FALSE
} RdbQualKind;

typedef enum RdbCompare
{
	RDB_LESS,
	RDB_LESS_EQUAL,
	RDB_EQUAL,
	RDB_GREATER_EQUAL,
	RDB_GREATER,
	RDB_NOT_EQUAL
} RdbCompare;

/* What a clause says, as far as it can be said of a chunk. */
typedef struct RdbQualShape
{
	RdbQualKind kind;
	RdbCompare	compare;
	AttrNumber	attno;
	RdbOrder	order;
	Expr	   *value;			/* that the column is compared with, or the array */
} RdbQualShape;

/* A value to compare with, in the order's terms. */
typedef struct RdbQualValue
{
	int64		key;			/* numerics: times 10^scale */
	int			scale;
	RdbBytes	bytes;
} RdbQualValue;

/* A condition of a running scan. */
typedef struct RdbQual
{
	RdbQualShape shape;
	ExprState  *value;
	bool		is_known;		/* the value was evaluated */
	bool		never;			/* no row can satisfy it */
	bool		usable;			/* the values can be compared with those of chunks */
	int			n;				/* values */
	RdbQualValue *values;
	MemoryContext context;		/* where they are */
} RdbQual;

typedef enum RdbVerdict
{
	RDB_NO_ROW,
	RDB_SOME_ROWS,				/* those that are selected */
	RDB_UNDECIDED				/* each row must be asked */
} RdbVerdict;

extern bool rdb_qual_shape(PlannerInfo *root, Node *clause, Index relid, RdbQualShape *shape);
extern RdbQual *rdb_quals_begin(List *clauses, Index relid, PlanState *parent);
extern void rdb_qual_evaluate(RdbQual *qual, ExprContext *context);
extern RdbVerdict rdb_qual_chunk(Relation rel, const RdbQual *qual, const RdbGroup *group,
								 uint32 chunk);
extern RdbVerdict rdb_qual_filter(const RdbQual *qual, const RdbGroup *group,
								  const RdbColumnData *data, uint16 *rows, uint32 *n);

#endif							/* RDB_SCAN_QUALS_H */
