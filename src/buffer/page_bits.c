/*
 * page_bits.c
 *	  Free pages of an arena: a bit each, 1 if it is free.
 *
 * Next fit (Knuth, The Art of Computer Programming 1, 2.5): the search for neighbours goes on
 * where the last one ended, over so many pages at most, for others wait meanwhile.  Words without a free page are passed by at once.  Pure.
 *
 * (PostgreSQL's own manager of free pages keeps what it knows in the free pages, and loses
 * pages where nearly all are taken, as they always are in a cache.)
 */
#include "postgres.h"

#include "buffer/page_bits.h"

#define WORD 64
#define MOST_SEARCHED 65536		/* pages */

Size
rdb_page_bits_size(uint32 npages)
{
	return ((Size) npages + WORD - 1) / WORD * sizeof(uint64);
}

static bool
is_free(const uint64 *bits, uint32 page)
{
	return (bits[page / WORD] >> (page % WORD)) & 1;
}

/* All pages are free. */
void
rdb_page_bits_init(uint64 *bits, uint32 npages)
{
	memset(bits, 0, rdb_page_bits_size(npages));
	rdb_page_bits_give(bits, 0, npages);
}

/* The first of n free neighbours in a part of the pages; RDB_NO_PAGE: there are none. */
static uint32
find(const uint64 *bits, uint32 begin, uint32 end, uint32 n)
{
	uint32		run = 0;

	for (uint32 page = begin; page < end;)
	{
		if (run == 0 && page % WORD == 0 && bits[page / WORD] == 0)
		{
			page += WORD;
			continue;
		}
		run = is_free(bits, page) ? run + 1 : 0;
		page++;
		if (run == n)
			return page - n;
	}
	return RDB_NO_PAGE;
}

/*
 * Take n free neighbours, at least one; returns the first, or RDB_NO_PAGE: there are none, or
 * none among so many pages from *from on, which is 0 at first, and where the next search
 * goes on.
 */
uint32
rdb_page_bits_take(uint64 *bits, uint32 npages, uint32 n, uint32 *from)
{
	uint32		end = Min(npages - *from, MOST_SEARCHED) + *from;
	uint32		first = find(bits, *from, end, n);

	if (first == RDB_NO_PAGE && end == npages)
	{
		end = Min(npages, MOST_SEARCHED);
		first = find(bits, 0, end, n);
	}
	if (first == RDB_NO_PAGE)
	{
		/* neighbours may lie across the end */
		*from = end < npages && end > n ? end - n : 0;
		return RDB_NO_PAGE;
	}
	for (uint32 page = first; page < first + n; page++)
		bits[page / WORD] &= ~(UINT64CONST(1) << (page % WORD));
	*from = first + n;
	return first;
}

void
rdb_page_bits_give(uint64 *bits, uint32 first, uint32 n)
{
	for (uint32 page = first; page < first + n; page++)
		bits[page / WORD] |= UINT64CONST(1) << (page % WORD);
}
