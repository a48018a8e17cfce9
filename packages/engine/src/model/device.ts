/** makedev(3): a device number in the layout of st_dev. */
export function makeDevice(major: number, minor: number): bigint {
  const [high, low] = [BigInt(major), BigInt(minor)];
  return (
    (low & 0xffn) | ((high & 0xfffn) << 8n) | ((low & ~0xffn) << 12n) | ((high & ~0xfffn) << 32n)
  );
}

/** major(3) */
export const majorOf = (device: bigint): bigint =>
  ((device >> 8n) & 0xfffn) | ((device >> 32n) & ~0xfffn);

/** minor(3) */
const minorOf = (device: bigint): bigint => (device & 0xffn) | ((device >> 12n) & 0xfff_ff00n);

/** "fe:00", as maps and locks show it. */
export function deviceText(device: bigint): string {
  const two = (value: bigint): string => value.toString(16).padStart(2, '0');
  return `${two(majorOf(device))}:${two(minorOf(device))}`;
}
