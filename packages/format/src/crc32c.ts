/** Castagnoli polynomial, bits reversed (RFC 3720, appendix B.4). */
const polynomial = 0x82f63b78;

/** Eight tables of 256: table k advances a byte by k more zero bytes. */
function makeTables(): Int32Array {
  const tables = new Int32Array(8 * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ polynomial : crc >>> 1;
    tables[byte] = crc;
  }
  for (let index = 256; index < tables.length; index++) {
    const before = tables[index - 256] ?? 0;
    tables[index] = (before >>> 8) ^ (tables[before & 0xff] ?? 0);
  }
  return tables;
}

let made: Int32Array | undefined;

/**
 * CRC-32C, as SSE 4.2, iSCSI and ext4 compute it.
 *
 * Incremental: `crc32c(b, crc32c(a))` is the checksum of `a` followed by `b`.
 */
export function crc32c(bytes: Uint8Array, before = 0): number {
  const t = (made ??= makeTables());
  const words = bytes.length - (bytes.length % 8);
  let crc = ~before;
  let at = 0;
  // Slicing by 8: one look-up for each byte, eight of them independent of each other. `| 0` where
  // an index could be missing, which it never is: undefined | 0 is 0, and costs nothing.
  for (; at < words; at += 8) {
    crc ^=
      b(bytes, at) | (b(bytes, at + 1) << 8) | (b(bytes, at + 2) << 16) | (b(bytes, at + 3) << 24);
    crc =
      e(t, 0x700 | (crc & 0xff)) ^
      e(t, 0x600 | ((crc >>> 8) & 0xff)) ^
      e(t, 0x500 | ((crc >>> 16) & 0xff)) ^
      e(t, 0x400 | (crc >>> 24)) ^
      e(t, 0x300 | b(bytes, at + 4)) ^
      e(t, 0x200 | b(bytes, at + 5)) ^
      e(t, 0x100 | b(bytes, at + 6)) ^
      e(t, b(bytes, at + 7));
  }
  for (; at < bytes.length; at++) crc = (crc >>> 8) ^ e(t, (crc ^ b(bytes, at)) & 0xff);
  return ~crc >>> 0;
}

function b(bytes: Uint8Array, index: number): number {
  return bytes[index] ?? 0;
}

function e(table: Int32Array, index: number): number {
  return table[index] ?? 0;
}
