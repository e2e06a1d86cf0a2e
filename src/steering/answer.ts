/**
 * A DNS message in, a DNS message out: authoritative for one zone, of which some names lead to the nearest edge.
 *
 * A, AAAA by steering; SOA and NS of the zone; NODATA and NXDOMAIN with the SOA (RFC 2308); REFUSED for other zones; ANY in
 * the shortest way (RFC 8482). EDNS (RFC 6891) with Client Subnet (RFC 7871). By UDP never more than 1232 bytes, 512
 * without EDNS; what does not fit is told to come by TCP. What cannot be read gets no answer. Packets are the
 * business of the library dns-packet, but for the question, which is returned byte by byte.
 */
import {
  type Answer,
  AUTHORITATIVE_ANSWER,
  DNSSEC_OK,
  decode,
  encode,
  type OptAnswer,
  TRUNCATED_RESPONSE,
} from "dns-packet";
import { type ClientSubnet, readClientSubnet, writeClientSubnet } from "./client-subnet.ts";
import {
  bareReply,
  type DnsHeader,
  type DnsQuestion,
  HEADER_BYTES,
  headerOf,
  questionOf,
  RCODE,
} from "./question.ts";
import type { EdgeHealth, Steering } from "./steer.ts";
import { Zone } from "./zone.ts";

/** What fits a datagram on every path (DNS flag day 2020). */
const UDP_BYTES_MAX = 1232;
/** What a client without EDNS takes (RFC 1035 §4.2.1). */
const PLAIN_UDP_BYTES_MAX = 512;
/** Of one answer; more would be cut by resolvers, or by UDP. */
const ADDRESSES_MAX = 8;
/** Beyond this a query is none of ours: an OPT and a TSIG. */
const ADDITIONALS_MAX = 2;

/** Of the zone's own records: they change with the config only. */
const ZONE_TTL_S = 3600;
const SOA_TIMES = { refresh: 3600, retry: 600, expire: 604_800 } as const;

const TYPE = { a: 1, ns: 2, soa: 6, aaaa: 28, ixfr: 251, axfr: 252, any: 255 } as const;
const CLASS_IN = 1;
const OPTION_CLIENT_SUBNET = 8;
const RECURSION_DESIRED = 0x100;
/** BADVERS is 16: its upper bits are in the OPT record. */
const BADVERS_UPPER = 1;

/** A query that arrived. */
export interface DnsQuery {
  readonly bytes: Uint8Array;
  /** Who sent it: the client, or its resolver. */
  readonly source: string;
  readonly transport: "udp" | "tcp";
}

/** What an answer says. */
interface Content {
  readonly rcode: number;
  readonly isAuthoritative: boolean;
  readonly answers: readonly Answer[];
  readonly authorities: readonly Answer[];
  readonly additionals: readonly Answer[];
  /** Bits of the client's network for which it holds. */
  readonly scope: number;
  readonly badVersion?: true;
}

/** A query that can be answered. */
interface Asked {
  readonly header: DnsHeader;
  readonly question: DnsQuestion;
  readonly opt: OptAnswer | undefined;
  readonly subnet: ClientSubnet | undefined;
}

/** Answers for one zone. */
export class Answerer {
  readonly #steering: Steering;
  readonly #zone: Zone;
  readonly #serial: number;
  readonly #ttlS: number;
  readonly #healthOf: (edge: string) => EdgeHealth;

  /** `serial` is that of the zone: it should grow with each start. */
  constructor(steering: Steering, serial: number, healthOf: (edge: string) => EdgeHealth) {
    this.#steering = steering;
    this.#zone = new Zone(steering.config);
    this.#serial = serial;
    this.#ttlS = Math.round(steering.config.ttlMs / 1000);
    this.#healthOf = healthOf;
  }

  /** The answer; undefined when there is none to give. Never throws. */
  answer(query: DnsQuery): Uint8Array | undefined {
    const asked = readQuery(query.bytes);
    if (asked === undefined || asked instanceof Uint8Array) return asked;
    const content = this.#contentOf(asked, query.source);
    const whole = write(asked, query.bytes, content, false);
    return whole.length <= limitOf(asked, query) ? whole : write(asked, query.bytes, content, true);
  }

  #contentOf(asked: Asked, source: string): Content {
    const { question, opt } = asked;
    if (opt !== undefined && opt.ednsVersion !== 0)
      return { ...REFUSED, rcode: RCODE.noError, badVersion: true };
    const isTransfer = question.type === TYPE.axfr || question.type === TYPE.ixfr;
    if (question.class !== CLASS_IN || isTransfer) return REFUSED;
    const place = this.#zone.at(question.name);
    if (place.kind === "outside") return REFUSED;
    if (place.kind === "absent") return this.#nothing(RCODE.nxDomain);
    const { isApex, isSteered, addresses } = place;
    if (question.type === TYPE.any) return positive([hinfo(question.name)]);
    if (isApex && question.type === TYPE.soa) return positive([this.#soa()]);
    if (isApex && question.type === TYPE.ns) return { ...positive(this.#ns()), additionals: this.#glue() };
    if (question.type !== TYPE.a && question.type !== TYPE.aaaa) return this.#nothing(RCODE.noError);
    if (isSteered) return this.#steered(asked, source);
    const records = addressRecords(question, addresses, ZONE_TTL_S);
    return records.length === 0 ? this.#nothing(RCODE.noError) : positive(records);
  }

  /** The edges for whoever asks. Without a network that a resolver speaks for, the sender is the client. */
  #steered({ question, subnet }: Asked, source: string): Content {
    const isHidden = subnet === undefined || subnet.sourceBits === 0;
    const decision = this.#steering.decide(isHidden ? source : subnet.ip, this.#healthOf);
    const addresses = decision?.edges.flatMap((edge) => edge.addresses) ?? [];
    const records = addressRecords(question, addresses, this.#ttlS);
    const content = records.length === 0 ? this.#nothing(RCODE.noError) : positive(records);
    return { ...content, scope: isHidden ? 0 : (decision?.scope ?? 0) };
  }

  #nothing(rcode: number): Content {
    return { ...positive([]), rcode, authorities: [{ ...this.#soa(), ttl: this.#ttlS }] };
  }

  #soa(): Answer & { readonly type: "SOA" } {
    const [first] = this.#steering.config.nameservers;
    const { apex } = this.#zone;
    const data = {
      mname: first?.name ?? apex,
      rname: `hostmaster.${apex}`,
      serial: this.#serial,
      ...SOA_TIMES,
      minimum: this.#ttlS,
    };
    return { type: "SOA", name: apex, ttl: ZONE_TTL_S, data };
  }

  #ns(): Answer[] {
    const { apex } = this.#zone;
    return this.#steering.config.nameservers.map(({ name }) => ({
      type: "NS",
      name: apex,
      ttl: ZONE_TTL_S,
      data: name,
    }));
  }

  #glue(): Answer[] {
    const own = this.#steering.config.nameservers.filter(({ name }) => this.#zone.at(name).kind === "there");
    return own.flatMap(({ name, addresses }) =>
      [TYPE.a, TYPE.aaaa].flatMap((type) => addressRecords({ name, type }, addresses, ZONE_TTL_S)),
    );
  }
}

const REFUSED: Content = {
  rcode: RCODE.refused,
  isAuthoritative: false,
  answers: [],
  authorities: [],
  additionals: [],
  scope: 0,
};

function positive(answers: readonly Answer[]): Content {
  return { ...REFUSED, rcode: RCODE.noError, isAuthoritative: true, answers };
}

function hinfo(name: string): Answer {
  return { type: "HINFO", name, ttl: ZONE_TTL_S, data: { cpu: "RFC8482", os: "" } };
}

/** Those of the family that is asked for. */
function addressRecords(
  { name, type }: Pick<DnsQuestion, "name" | "type">,
  addresses: readonly string[],
  ttl: number,
): Answer[] {
  const isV6 = type === TYPE.aaaa;
  const ofFamily = addresses.filter((address) => address.includes(":") === isV6).slice(0, ADDRESSES_MAX);
  return ofFamily.map((data) => ({ type: isV6 ? "AAAA" : "A", name, ttl, data }));
}

/** The query; a short answer where it is no proper one; undefined where it gets none. */
function readQuery(bytes: Uint8Array): Asked | Uint8Array | undefined {
  const header = headerOf(bytes);
  if (header === undefined || header.isResponse) return undefined;
  if (header.opcode !== 0) return bareReply(header, RCODE.notImp);
  const isProper = header.questions === 1 && header.answers === 0 && header.authorities === 0;
  if (!isProper || header.additionals > ADDITIONALS_MAX) return bareReply(header, RCODE.formErr);
  const question = questionOf(bytes);
  const opts = question === undefined ? undefined : optsOf(bytes);
  if (question === undefined || opts === undefined) return undefined;
  const [opt, second] = opts;
  const data = opt?.options.find(({ code }) => code === OPTION_CLIENT_SUBNET)?.data;
  const subnet = data === undefined ? undefined : readClientSubnet(data);
  if (second !== undefined || (data !== undefined && subnet === undefined))
    return bareReply(header, RCODE.formErr);
  return { header, question, opt, subnet };
}

/** The OPT records; undefined when the message cannot be read. */
function optsOf(bytes: Uint8Array): OptAnswer[] | undefined {
  try {
    const { additionals = [] } = decode(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    return additionals.filter((record) => record.type === "OPT");
  } catch {
    return undefined; // whatever it is, it is not answered
  }
}

function limitOf({ opt }: Asked, { transport }: DnsQuery): number {
  if (transport === "tcp") return Number.POSITIVE_INFINITY;
  if (opt === undefined) return PLAIN_UDP_BYTES_MAX;
  return Math.min(UDP_BYTES_MAX, Math.max(PLAIN_UDP_BYTES_MAX, opt.udpPayloadSize));
}

/** The message: what the library makes of the records, with the question put in as it came. */
function write(asked: Asked, bytes: Uint8Array, content: Content, isTruncated: boolean): Uint8Array {
  const { header, question } = asked;
  const flags =
    (content.isAuthoritative ? AUTHORITATIVE_ANSWER : 0) |
    (isTruncated ? TRUNCATED_RESPONSE : 0) |
    (header.wantsRecursion ? RECURSION_DESIRED : 0) |
    content.rcode;
  const records = encode({
    type: "response",
    id: header.id,
    flags,
    answers: isTruncated ? [] : [...content.answers],
    authorities: isTruncated ? [] : [...content.authorities],
    additionals: [...(isTruncated ? [] : content.additionals), ...ownOpt(asked, content)],
  });
  const message = new Uint8Array(records.length + question.end - HEADER_BYTES);
  message.set(records.subarray(0, HEADER_BYTES));
  message.set(bytes.subarray(HEADER_BYTES, question.end), HEADER_BYTES);
  message.set(records.subarray(HEADER_BYTES), question.end);
  new DataView(message.buffer).setUint16(4, 1);
  return message;
}

function ownOpt({ opt, subnet }: Asked, { scope, badVersion }: Content): OptAnswer[] {
  if (opt === undefined) return [];
  const options: OptAnswer["options"] =
    subnet === undefined
      ? []
      : [{ code: OPTION_CLIENT_SUBNET, ip: undefined, data: Buffer.from(writeClientSubnet(subnet, scope)) }];
  return [
    {
      type: "OPT",
      name: ".",
      udpPayloadSize: UDP_BYTES_MAX,
      extendedRcode: badVersion === true ? BADVERS_UPPER : 0,
      ednsVersion: 0,
      // The DO bit is returned as it came (RFC 3225 §3), though nothing here is signed.
      flags: opt.flag_do ? DNSSEC_OK : 0,
      flag_do: opt.flag_do,
      options,
    },
  ];
}
