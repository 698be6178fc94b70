// sources: src/buffer/page_bits.c
// libs: -lpgcommon -lpgport
/*
 * Pages come and go by thousands, and none is lost or handed out twice.
 */
#include "postgres.h"

#include <stdio.h>
#include <stdlib.h>

#include "buffer/page_bits.h"

#define PAGES 1000

static int	tests = 0;

static void
check(bool good, const char *name)
{
	printf("%s %d - %s\n", good ? "ok" : "not ok", ++tests, name);
}

/* Whether there are n free neighbours, by looking. */
static bool
has_run(const bool *taken, uint32 n)
{
	uint32		run = 0;

	for (uint32 page = 0; page < PAGES; page++)
	{
		run = taken[page] ? 0 : run + 1;
		if (run == n)
			return true;
	}
	return false;
}

int
main(void)
{
	uint64	   *bits = malloc(rdb_page_bits_size(PAGES));
	bool		taken[PAGES] = {false};
	uint32		first[PAGES];
	uint32		count[PAGES];
	uint32		from = 0;
	int			held = 0;
	bool		twice = false;
	bool		missed = false;
	bool		beyond = false;

	rdb_page_bits_init(bits, PAGES);
	srandom(1);
	for (int i = 0; i < 300000; i++)
	{
		uint32		n = random() % 50 == 0 ? 1 + (uint32) (random() % 100) : 1 + (uint32) (random() % 4);
		uint32		page = rdb_page_bits_take(bits, PAGES, n, &from);

		missed |= (page != RDB_NO_PAGE) != has_run(taken, n);
		if (page != RDB_NO_PAGE)
		{
			beyond |= page + n > PAGES;
			for (uint32 j = page; j < page + n && !beyond; j++)
			{
				twice |= taken[j];
				taken[j] = true;
			}
			first[held] = page;
			count[held++] = n;
		}
		while (held > 0 && (page == RDB_NO_PAGE || random() % 3 == 0))
		{
			int			j = (int) (random() % held);

			rdb_page_bits_give(bits, first[j], count[j]);
			memset(&taken[first[j]], false, count[j]);
			held--;
			first[j] = first[held];
			count[j] = count[held];
			page = 0;
		}
	}
	check(!twice, "none is handed out twice");
	check(!beyond, "none that is not there");
	check(!missed, "neighbours are found if there are any, and only then");
	while (held-- > 0)
		rdb_page_bits_give(bits, first[held], count[held]);
	from = 500;
	check(rdb_page_bits_take(bits, PAGES, PAGES, &from) == 0, "in the end all are free");
	check(rdb_page_bits_take(bits, PAGES, 1, &from) == RDB_NO_PAGE, "and then none");
	free(bits);
	printf("1..%d\n", tests);
	return 0;
}
