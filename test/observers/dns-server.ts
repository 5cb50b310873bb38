// A name server on the loopback for tests, over UDP and, for what does not fit, over TCP (RFC 1035 §4.2). It says what
// it is told to say.

import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { isIP } from 'node:net';

/** `fails`: SERVFAIL. `silent`: no answer at all. Unset: there is no such name. */
export type Records =
  | { readonly addresses: readonly string[]; readonly ttlSeconds: number }
  | 'fails'
  | 'silent'
  | undefined;

const TYPES: Readonly<Record<number, 4 | 6>> = { 1: 4, 28: 6 };
const MAX_UDP_BYTES = 512;

export class DnsServer {
  readonly names = new Map<string, Records>();
  queries = 0;
  readonly #udp: Socket;
  readonly #tcp: Server;

  private constructor(udp: Socket, tcp: Server) {
    this.#udp = udp;
    this.#tcp = tcp;
    udp.on('message', (message, { port, address }) => {
      const answer = this.#answer(message);
      if (answer === undefined) return;
      const fits = answer.length <= MAX_UDP_BYTES;
      // TC: ask over TCP.
      udp.send(fits ? answer : truncated(answer, message), port, address);
    });
    tcp.on('connection', (socket) => {
      socket.on('error', () => socket.destroy());
      socket.on('data', (data) => {
        const answer = this.#answer(data.subarray(2));
        if (answer === undefined) return;
        const length = Buffer.alloc(2);
        length.writeUInt16BE(answer.length);
        socket.end(Buffer.concat([length, answer]));
      });
    });
  }

  static async start(): Promise<DnsServer> {
    const tcp = createServer();
    await once(tcp.listen(0, '127.0.0.1'), 'listening');
    const udp = createSocket('udp4');
    const server = new DnsServer(udp, tcp);
    udp.bind((tcp.address() as AddressInfo).port, '127.0.0.1');
    await once(udp, 'listening');
    return server;
  }

  /** `127.0.0.1:PORT`. */
  get address(): string {
    return `127.0.0.1:${this.#udp.address().port}`;
  }

  async close(): Promise<void> {
    this.#udp.close();
    this.#tcp.close();
    await once(this.#tcp, 'close');
  }

  #answer(query: Buffer): Buffer | undefined {
    this.queries += 1;
    const { name, end } = readName(query);
    const family = TYPES[query.readUInt16BE(end)];
    const question = query.subarray(12, end + 4);
    const records = this.names.get(name);
    if (records === 'silent') return undefined;
    const found = typeof records === 'object' ? records.addresses.filter((each) => isIP(each) === family) : [];
    const code = records === undefined ? 3 : records === 'fails' ? 2 : 0;
    const ttlSeconds = typeof records === 'object' ? records.ttlSeconds : 0;
    const answers = found.map((address) => resource(address, ttlSeconds));
    return Buffer.concat([header(query, 0x8180 | code, answers.length), question, ...answers]);
  }
}

function header(query: Buffer, flags: number, answers: number): Buffer {
  const bytes = Buffer.alloc(12);
  query.copy(bytes, 0, 0, 2);
  bytes.writeUInt16BE(flags, 2);
  bytes.writeUInt16BE(1, 4);
  bytes.writeUInt16BE(answers, 6);
  return bytes;
}

function truncated(answer: Buffer, query: Buffer): Buffer {
  const { end } = readName(query);
  return Buffer.concat([header(query, answer.readUInt16BE(2) | 0x0200, 0), query.subarray(12, end + 4)]);
}

function readName(query: Buffer): { readonly name: string; readonly end: number } {
  const labels: string[] = [];
  let at = 12;
  for (;;) {
    const length = query[at] ?? 0;
    at += 1;
    if (length === 0) break;
    labels.push(query.toString('latin1', at, at + length));
    at += length;
  }
  return { name: labels.join('.').toLowerCase(), end: at };
}

/** The name is that of the question, which begins at byte 12. */
function resource(address: string, ttlSeconds: number): Buffer {
  const data =
    isIP(address) === 4
      ? Buffer.from(address.split('.').map(Number))
      : Buffer.from(expand(address).flatMap((group) => [group >> 8, group & 255]));
  const head = Buffer.alloc(12);
  head.writeUInt16BE(0xc00c, 0);
  head.writeUInt16BE(isIP(address) === 4 ? 1 : 28, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt32BE(ttlSeconds, 6);
  head.writeUInt16BE(data.length, 10);
  return Buffer.concat([head, data]);
}

/** The eight groups of an IPv6 address. */
function expand(address: string): number[] {
  const [head = '', tail] = address.split('::');
  const groups = (text: string) => (text === '' ? [] : text.split(':').map((each) => Number.parseInt(each, 16)));
  if (tail === undefined) return groups(head);
  const [before, after] = [groups(head), groups(tail)];
  return [...before, ...Array<number>(8 - before.length - after.length).fill(0), ...after];
}
