// The way to the misbehaving server: ends TLS, looks at every HTTP/2 frame, and breaks whatever it is told to break.
//
// A link is one connection of the client, with one plain connection to the server behind it. What a link can suffer: it
// falls silent while its kernel goes on acknowledging; its FIN never comes; its pings and settings stay unanswered; it
// is told to go (GOAWAY); its frames are damaged, oversized or cut into single bytes; it is reset. New connections can
// be accepted and then ignored. Certificate and offered protocol can change at any time.

import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type Server as TlsServer, type TLSSocket } from 'node:tls';
import type { Certificate } from '../../simulator/server/certificate.ts';
import { FRAME, frameOf, FrameSplitter, goAway, isAcknowledgement, isData } from './http2-frames.ts';

export type Protocol = 'h2' | 'http/1.1';

/** What a link suffers; each on top of what it suffers already. */
export const AFFLICTIONS = [
  'silent',
  'reset',
  'end',
  'never ends',
  'no acknowledgements',
  'go away',
  'go away at once',
  'go away, then silent',
  'go away, never ends',
  'huge frame',
  'wrong length',
  'garbage',
  'bytes one by one',
] as const;
export type Affliction = (typeof AFFLICTIONS)[number];

interface Link {
  readonly socket: TLSSocket;
  /** Below TLS, where a reset is a reset; `undefined`: it was closed before the handshake was reported. */
  readonly raw: Socket | undefined;
  readonly backend: Socket;
  silent: boolean;
  endedByClient: boolean;
  /** What the server ends stays open for the client. */
  neverEnds: boolean;
  acknowledges: boolean;
  damageNext: boolean;
  oneByOne: boolean;
  /** Bytes on their way one by one. */
  trickle: Promise<void>;
}

const ANY_STREAM = 0x7fffffff;
const INTERNAL_ERROR = 2;
/** Of the bytes that go one by one: the rest of a large piece follows at once, or a list would take minutes. */
const MAX_SINGLE_BYTES = 40;

export class Gateway {
  readonly #ports: Readonly<Record<Protocol, number>>;
  readonly #links = new Set<Link>();
  /** Accepted, and nothing else. */
  readonly #ignored = new Set<Socket>();
  /** By the client's port. */
  readonly #sockets = new Map<number, Socket>();
  readonly #front: Server;
  readonly #tls: TlsServer;
  protocol: Protocol = 'h2';
  /** New connections are accepted and then ignored. */
  ignoring = false;
  /** Links that there ever were. */
  linked = 0;

  /** `ports` of the plain servers behind it. */
  constructor(certificate: Certificate, ports: Readonly<Record<Protocol, number>>) {
    this.#ports = ports;
    this.#tls = createTlsServer({
      ...certificate,
      allowHalfOpen: true,
      // undici offers HTTP/1.1 alone, and gets it whatever is preferred here.
      ALPNCallback: ({ protocols }) => (protocols.includes(this.protocol) ? this.protocol : protocols[0]),
    });
    this.#tls.on('secureConnection', (socket) => this.#link(socket));
    this.#tls.on('tlsClientError', (_error, socket) => socket.destroy());
    this.#front = createServer({ allowHalfOpen: true }, (socket) => this.#accept(socket));
  }

  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.#front.listen(0, '127.0.0.1', resolve));
    return (this.#front.address() as AddressInfo).port;
  }

  close(): void {
    for (const socket of this.#sockets.values()) socket.destroy();
    for (const { backend } of this.#links) backend.destroy();
    this.#front.close();
  }

  setCertificate(certificate: Certificate): void {
    this.#tls.setSecureContext(certificate);
  }

  /**
   * Links that are neither silent nor ended by the client: every socket that the client still holds should be one of
   * them.
   */
  get alive(): number {
    return [...this.#links].filter(({ silent, endedByClient }) => !silent && !endedByClient).length;
  }

  /** What was accepted and ignored is taken care of from now on. */
  heed(): void {
    this.ignoring = false;
    for (const socket of this.#ignored) this.#tls.emit('connection', socket);
    this.#ignored.clear();
  }

  /** All links there are now. */
  async afflict(affliction: Affliction): Promise<void> {
    await Promise.all([...this.#links].map((link) => this.#afflict(link, affliction)));
  }

  /** The server's view of links that say nothing any more: by these ports it knows them. */
  get hiddenPorts(): ReadonlySet<number> {
    const hidden = [...this.#links].filter(({ silent, endedByClient }) => silent || endedByClient);
    return new Set(hidden.map(({ backend }) => backend.localPort ?? 0));
  }

  /** Ends what fell silent or was told to stay, after the client had its time to notice. */
  sweep(): void {
    for (const link of this.#links) {
      if (!link.silent && !link.neverEnds) continue;
      link.socket.destroy();
      link.backend.destroy();
      this.#links.delete(link);
    }
  }

  async #afflict(link: Link, affliction: Affliction): Promise<void> {
    switch (affliction) {
      case 'silent':
        link.silent = true;
        link.socket.pause();
        link.backend.pause();
        return;
      case 'reset':
        // It may be closed while TLS has not been told yet.
        if (link.raw?.destroyed === false) link.raw.resetAndDestroy();
        return;
      case 'end':
        link.socket.end();
        return;
      case 'never ends':
        link.neverEnds = true;
        return;
      case 'no acknowledgements':
        link.acknowledges = false;
        return;
      case 'go away':
        this.#send(link, goAway(ANY_STREAM, 0));
        return;
      case 'go away at once':
        this.#send(link, goAway(0, INTERNAL_ERROR));
        return;
      case 'go away, then silent':
        this.#send(link, goAway(ANY_STREAM, 0));
        // It has to leave before the silence.
        await new Promise((resolve) => setTimeout(resolve, 30));
        return this.#afflict(link, 'silent');
      case 'go away, never ends':
        link.neverEnds = true;
        this.#send(link, goAway(ANY_STREAM, 0));
        return;
      case 'huge frame':
        this.#send(link, frameOf(FRAME.data, 0, 1, Buffer.alloc(1_000), 0xff_ff_ff));
        return;
      case 'wrong length':
        link.damageNext = true;
        return;
      case 'garbage':
        this.#send(link, Buffer.from('HTTP/0.9 999 what is this\r\n\r\n'));
        return;
      case 'bytes one by one':
        link.oneByOne = true;
        return;
      default:
        affliction satisfies never;
    }
  }

  #accept(socket: Socket): void {
    const port = socket.remotePort ?? 0;
    this.#sockets.set(port, socket);
    socket.once('close', () => {
      // The port may be another connection's by now.
      if (this.#sockets.get(port) === socket) this.#sockets.delete(port);
      this.#ignored.delete(socket);
    });
    socket.on('error', () => {});
    if (this.ignoring) this.#ignored.add(socket);
    else this.#tls.emit('connection', socket);
  }

  #link(socket: TLSSocket): void {
    const isHttp2 = socket.alpnProtocol === 'h2';
    const backend = connect({
      port: this.#ports[isHttp2 ? 'h2' : 'http/1.1'],
      host: '127.0.0.1',
      allowHalfOpen: true,
    });
    const link: Link = {
      ...{
        socket,
        raw: this.#sockets.get(socket.remotePort ?? 0),
        backend,
        silent: false,
        endedByClient: false,
        neverEnds: false,
        acknowledges: true,
        damageNext: false,
      },
      ...{ oneByOne: false, trickle: Promise.resolve() },
    };
    this.#links.add(link);
    this.linked += 1;
    const splitter = isHttp2 ? new FrameSplitter() : undefined;
    socket.on('data', (chunk: Buffer) => backend.write(chunk));
    backend.on('data', (chunk: Buffer) => {
      if (splitter === undefined) this.#send(link, damaged(link, chunk));
      else for (const frame of splitter.push(chunk)) this.#forward(link, frame);
    });
    socket.on('end', () => {
      link.endedByClient = true;
      backend.end();
      if (!link.neverEnds) socket.end();
    });
    backend.on('end', () => {
      if (!link.neverEnds && !link.silent) void link.trickle.then(() => socket.end());
    });
    const gone = () => {
      backend.destroy();
      this.#links.delete(link);
    };
    socket.on('close', gone);
    socket.on('error', () => {});
    backend.on('error', () => {});
    backend.on('close', () => {
      if (!link.neverEnds && !link.silent) socket.destroySoon();
    });
  }

  #forward(link: Link, frame: Buffer): void {
    if (!link.acknowledges && isAcknowledgement(frame)) return;
    this.#send(link, isData(frame) ? damaged(link, frame) : frame);
  }

  #send(link: Link, bytes: Buffer): void {
    if (link.silent || link.socket.destroyed || !link.socket.writable) return;
    if (!link.oneByOne) {
      link.socket.write(bytes);
      return;
    }
    link.trickle = link.trickle.then(async () => {
      const single = Math.min(bytes.length, MAX_SINGLE_BYTES);
      for (let index = 0; index < single; index += 1) {
        await new Promise((resolve) => setImmediate(resolve));
        if (link.socket.writable) link.socket.write(bytes.subarray(index, index + 1));
      }
      if (link.socket.writable) link.socket.write(bytes.subarray(single));
    });
  }
}

/** The next data of a link that was told so is one byte longer than it says. */
function damaged(link: Link, bytes: Buffer): Buffer {
  if (!link.damageNext) return bytes;
  link.damageNext = false;
  return Buffer.concat([bytes, Buffer.of(0x21)]);
}
