import { socketDomains } from '@ckpt/format';
import { decodeText } from '@ckpt/io';
import { hostOf } from '../netfilter/filter.ts';

/** Where sun_path begins (unix(7)), sin_addr (ip(7)), sin6_addr (ipv6(7)). */
const unixPath = 2;
const inetAddress = 4;
const inet6Address = 8;
const inetSize = 16;
const inet6Size = 28;

/** sa_family of a struct sockaddr; 0 when it is too short to have one. */
const familyOf = (bytes: Uint8Array): number => (bytes[0] ?? 0) | ((bytes[1] ?? 0) << 8);

export const portOf = (bytes: Uint8Array): number => ((bytes[2] ?? 0) << 8) | (bytes[3] ?? 0);

/** "::1", "fe80::1:2" (RFC 5952). */
function inet6Text(bytes: Uint8Array): string {
  const words = Array.from({ length: 8 }, (_, index) =>
    (((bytes[index * 2] ?? 0) << 8) | (bytes[index * 2 + 1] ?? 0)).toString(16),
  );
  const text = words.join(':');
  const runs = [...text.matchAll(/\b0(?::0)+\b/g)].sort((a, b) => b[0].length - a[0].length);
  const [longest] = runs;
  if (longest === undefined) return text;
  const before = text.slice(0, longest.index).replace(/:$/, '');
  const after = text.slice(longest.index + longest[0].length).replace(/^:/, '');
  return `${before}::${after}`;
}

/** Path of a UNIX address; "@name" for an abstract one; empty for none. */
export function unixName(bytes: Uint8Array): string {
  const name = bytes.subarray(unixPath);
  if (name.length === 0) return '';
  if (name[0] === 0) return `@${decodeText(name.subarray(1))}`;
  return decodeText(name);
}

/** "127.0.0.1", also of an IPv4 address in IPv6 clothes; "::1". */
export function hostText(bytes: Uint8Array): string {
  const host = hostOf(bytes);
  return host.length === 4 ? host.join('.') : inet6Text(host);
}

/** "127.0.0.1:80", "[::1]:80", "/run/x.sock". */
export function addressText(bytes: Uint8Array): string {
  switch (familyOf(bytes)) {
    case socketDomains.INET:
      return `${[...bytes.subarray(inetAddress, inetAddress + 4)].join('.')}:${portOf(bytes)}`;
    case socketDomains.INET6:
      return `[${inet6Text(bytes.subarray(inet6Address, inet6Address + 16))}]:${portOf(bytes)}`;
    case socketDomains.UNIX:
      return unixName(bytes);
    default:
      return `an address of family ${familyOf(bytes)}`;
  }
}

/** True when bind(2) has given it a port or an address, or a name. */
export function isBound(bytes: Uint8Array): boolean {
  if (familyOf(bytes) === socketDomains.UNIX) return bytes.length > unixPath;
  const start = familyOf(bytes) === socketDomains.INET ? inetAddress : inet6Address;
  const length = familyOf(bytes) === socketDomains.INET ? 4 : 16;
  return portOf(bytes) !== 0 || bytes.subarray(start, start + length).some((byte) => byte !== 0);
}

/** True for an address that bind(2) and connect(2) take in that domain. */
export function isAddress(domain: number, bytes: Uint8Array): boolean {
  if (familyOf(bytes) !== domain) return false;
  if (domain === socketDomains.INET) return bytes.length === inetSize;
  if (domain === socketDomains.INET6) return bytes.length === inet6Size;
  // A path ends with its NUL or before; 108 bytes at most.
  return domain === socketDomains.UNIX && bytes.length >= unixPath && bytes.length <= 110;
}
