/** What a reader takes before it has planned anything; writers keep to it. */
export const limits = {
  /** Bytes of metadata. */
  metadata: 64 << 20,
  /** Records of metadata. */
  records: 1 << 18,
  /** Elements of one ARRAY: descriptors of a table (fs.nr_open is 1048576). */
  elements: 1 << 20,
  /** Threads of an image. */
  threads: 1 << 15,
  /** Mappings of an address space (vm.max_map_count is 65530 unless told). */
  mappings: 1 << 17,
  /** Pages of a store: 2^46 bytes, what user space can address. */
  pages: 2 ** 34,
} as const;
