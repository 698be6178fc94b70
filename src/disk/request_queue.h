/*
 * request_queue.h
 *	  Which of the waiting requests comes next: pure.
 */
#ifndef RDB_REQUEST_QUEUE_H
#define RDB_REQUEST_QUEUE_H

typedef enum RdbPriority
{
	RDB_PRIORITY_LOW,
	RDB_PRIORITY_NORMAL,
	RDB_PRIORITY_HIGH
} RdbPriority;

typedef struct RdbWaiting
{
	int64		id;				/* rises from request to request */
	RdbPriority priority;
	int			passed_over;	/* rounds in which others went first */
} RdbWaiting;

/* How many rounds raise a request by one priority. */
#define RDB_ROUNDS_A_PRIORITY 2

extern int	rdb_priority_by_name(const char *name);
extern int	rdb_next_request(const RdbWaiting *waiting, int n);

#endif							/* RDB_REQUEST_QUEUE_H */
