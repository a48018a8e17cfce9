import { socketDomains } from '@ckpt/format';
import { attribute, batch, concat, nested, number, tables, text } from './netlink.ts';

/** linux/netfilter/nf_tables.h */
const NFTA_TABLE_NAME = 1;
const NFTA_TABLE_FLAGS = 2;
const NFT_TABLE_F_OWNER = 2;
const NFT_REG_VERDICT = 0;
const NFT_REG_1 = 1;
const NFT_META_NFPROTO = 15;
const NFT_META_L4PROTO = 16;
const payloadBases = { network: 1, transport: 2 } as const;
/** linux/netfilter.h */
const NFPROTO_IPV4 = 2;
const NFPROTO_IPV6 = 10;
const NF_INET_LOCAL_IN = 1;
const NF_INET_LOCAL_OUT = 3;
const NF_ACCEPT = 1;
const NF_DROP = 0;
/** Before connections are tracked (linux/netfilter_ipv4.h, NF_IP_PRI_RAW). */
const priority = -300;
const IPPROTO_TCP = 6;

/** Chains of a table: what comes from the other ends is dropped in one, what goes to them in the other. */
const chains = [
  { name: 'held', hook: NF_INET_LOCAL_IN },
  { name: 'mute', hook: NF_INET_LOCAL_OUT },
] as const;
type Chain = (typeof chains)[number];

/** Both addresses of a connection: struct sockaddr_in or sockaddr_in6. */
export interface Ends {
  readonly local: Uint8Array;
  readonly peer: Uint8Array;
}

/** Name of the table that holds the connections of a process back once it was killed. */
export const filterName = (pid: number, startTime: bigint): string =>
  `ckpt-${pid}-${startTime.toString()}`;

const expression = (name: string, ...data: readonly Uint8Array[]): Uint8Array =>
  nested(1, text(1, name), nested(2, ...data));

const meta = (key: number): Uint8Array => expression('meta', number(1, NFT_REG_1), number(2, key));

const equals = (value: Uint8Array): Uint8Array =>
  expression('cmp', number(1, NFT_REG_1), number(2, 0), nested(3, attribute(1, value)));

/** Compares bytes of a packet's header. */
function header(base: keyof typeof payloadBases, offset: number, value: Uint8Array): Uint8Array {
  const numbers = [NFT_REG_1, payloadBases[base], offset, value.length];
  const data = numbers.map((each, index) => number(index + 1, each));
  return concat(expression('payload', ...data), equals(value));
}

const drop = expression(
  'immediate',
  number(1, NFT_REG_VERDICT),
  nested(2, nested(2, number(1, NF_DROP))),
);

const isMapped = (bytes: Uint8Array): boolean =>
  bytes.subarray(8, 18).every((byte) => byte === 0) && bytes[18] === 0xff && bytes[19] === 0xff;

/** The address in a struct sockaddr: 4 bytes, also of an IPv4 address in IPv6 clothes, or 16. */
export function hostOf(bytes: Uint8Array): Uint8Array {
  if (bytes[0] === socketDomains.INET) return bytes.subarray(4, 8);
  return isMapped(bytes) ? bytes.subarray(20, 24) : bytes.subarray(8, 24);
}

const portOf = (bytes: Uint8Array): Uint8Array => bytes.subarray(2, 4);

/** Drops what goes between both ends of a connection, in the direction of a chain. */
function rule(name: string, { local, peer }: Ends, chain: Chain): Uint8Array {
  const [source, target] = chain.hook === NF_INET_LOCAL_IN ? [peer, local] : [local, peer];
  const [from, to] = [hostOf(source), hostOf(target)];
  const isV4 = from.length === 4;
  const [fromOffset, toOffset] = isV4 ? [12, 16] : [8, 24];
  const expressions = [
    meta(NFT_META_NFPROTO),
    equals(Uint8Array.of(isV4 ? NFPROTO_IPV4 : NFPROTO_IPV6)),
    meta(NFT_META_L4PROTO),
    equals(Uint8Array.of(IPPROTO_TCP)),
    header('network', fromOffset, from),
    header('network', toOffset, to),
    header('transport', 0, concat(portOf(source), portOf(target))),
    drop,
  ];
  return tables('newRule', text(1, name), text(2, chain.name), nested(4, ...expressions));
}

const rules = (name: string, ends: Ends): readonly Uint8Array[] =>
  chains.map((chain) => rule(name, ends, chain));

/**
 * Makes a table that drops what goes between both ends of connections. What comes in would be
 * answered by a reset once the process is dead. What goes out (the timers of a frozen process run
 * on: retransmissions, loss probes) would move the connection on behind what was seen of it: the
 * other end acknowledges bytes then that were never sent, as far as the restored end knows, which
 * takes nothing from it any more.
 * @param isOwned It goes away with the socket that makes it.
 */
export function makeFilter(name: string, all: readonly Ends[], isOwned: boolean): Uint8Array {
  const flags = isOwned ? NFT_TABLE_F_OWNER : 0;
  return batch(
    tables('newTable', text(NFTA_TABLE_NAME, name), number(NFTA_TABLE_FLAGS, flags)),
    ...chains.map((chain) =>
      tables(
        'newChain',
        text(1, name),
        text(3, chain.name),
        nested(4, number(1, chain.hook), number(2, priority)),
        number(5, NF_ACCEPT),
        text(7, 'filter'),
      ),
    ),
    ...all.flatMap((ends) => rules(name, ends)),
  );
}

/** Adds a connection to such a table. */
export const addToFilter = (name: string, ends: Ends): Uint8Array => batch(...rules(name, ends));

export const removeFilter = (name: string): Uint8Array =>
  batch(tables('deleteTable', text(NFTA_TABLE_NAME, name)));

/** Asks for all tables. */
export const listFilters = (): Uint8Array => tables('getTable');

/** True for a table that holds connections of a process that was killed. */
export const isFilterOf = (pid: number, name: string): boolean =>
  new RegExp(`^ckpt-${pid}-\\d+$`).test(name);
