import { i32, reserved, u32, u64 } from '../field.ts';
import { array } from '../follow.ts';
import { address, objref, oneOf } from '../notation.ts';
import { record, struct, type Infer } from '../struct.ts';

/**
 * The store of this image, zeros, the mapped file as it is, the store of the parent image, or
 * nothing: pages that fault (madvise(2), MADV_GUARD_INSTALL).
 */
export const pageSources = { store: 1, zero: 2, file: 3, parent: 4, guard: 5 };

/** Pages that are in no run were never touched: they come from the mapping itself. */
export const PageRun = struct('page_run', 'A run of pages that come from one place.', {
  address: u64('first byte in memory', address),
  pages: u64('pages in the run'),
  index: u64('first page in the store; several runs may name one page; 0 for zero and file'),
  source: u32('where they come from', oneOf(pageSources)),
  flags: reserved('zero: none are defined'),
});
export type PageRun = Infer<typeof PageRun>;

export const PageMap = record(
  'PAGE_MAP',
  804,
  'Where the pages of an address space come from.',
  {
    mm: i32('objref of the MM', objref),
    _pad: reserved(),
  },
  [array(PageRun, 'ascending by address, without overlap')],
);
export type PageMap = Infer<typeof PageMap>;
