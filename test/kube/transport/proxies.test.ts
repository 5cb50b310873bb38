// Proxies on the way to the API server: what they are asked for, and what goes through them.

import assert from 'node:assert/strict';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import {
  type AddressInfo,
  createServer as createTcpServer,
  type Server,
  type Socket,
  connect as connectTcp,
} from 'node:net';
import { type TestContext, test } from 'node:test';
import { type Certificate, createCertificate } from '../../simulator/server/certificate.ts';
import { GivenCredentials, serveHttp2, transportTo, get, listen } from './serving.ts';

test('12.10 a proxy of the kubeconfig is asked for a tunnel, any 2xx is a yes, and HTTP/2 goes through it', async (context) => {
  const certificate = createCertificate();
  const server = await serveHttp2(context, certificate);
  const asked: string[] = [];
  const proxy = createHttpServer();
  proxy.on('connect', (request, socket: Socket) => {
    asked.push(`${request.url} ${request.headers['proxy-authorization']}`);
    socket.write('HTTP/1.1 204 Established\r\n\r\n');
    pipeTo(server.port, socket);
  });
  const proxyUrl = `http://me:s%40fe@127.0.0.1:${await serve(context, proxy)}`;
  const transport = transportTo(context, new GivenCredentials(server.url, certificate.cert, proxyUrl));
  assert.match(await get(transport), /over h2/);
  assert.deepEqual(asked, [`127.0.0.1:${server.port} Basic ${Buffer.from('me:s@fe').toString('base64')}`]);
});

test('12.10 a tunnel that is answered with 204 carries HTTP/1.1 too', async (context) => {
  const certificate = createCertificate();
  const port = await serveHttp1(context, certificate);
  const proxy = createHttpServer();
  proxy.on('connect', (_request, socket: Socket) => {
    socket.write('HTTP/1.1 204 Established\r\n\r\n');
    pipeTo(port, socket);
  });
  const proxyUrl = `http://127.0.0.1:${await serve(context, proxy)}`;
  const transport = transportTo(context, new GivenCredentials(`https://127.0.0.1:${port}`, certificate.cert, proxyUrl));
  assert.equal(await get(transport), 'over 1.1');
  assert.equal(await get(transport), 'over 1.1');
});

test('12.10 a socks5h proxy is given the name of the server, not its address', async (context) => {
  const certificate = createCertificate();
  const port = await serveHttp1(context, certificate);
  const names: string[] = [];
  // RFC 1928: a greeting, then a request with a domain name (3).
  const proxy = createTcpServer((socket) => {
    socket.once('data', () => {
      socket.write(Buffer.of(5, 0));
      socket.once('data', (request: Buffer) => {
        assert.equal(request[3], 3);
        names.push(request.subarray(5, 5 + (request[4] ?? 0)).toString());
        socket.write(Buffer.of(5, 0, 0, 1, 127, 0, 0, 1, 0, 0));
        pipeTo(port, socket);
      });
    });
  });
  const proxyUrl = `socks5h://127.0.0.1:${await serve(context, proxy)}`;
  const credentials = new GivenCredentials('https://api.not-in-dns.example:6443', certificate.cert, proxyUrl);
  // The certificate of the test is for 127.0.0.1.
  credentials.tls = { ...credentials.tls, rejectUnauthorized: false };
  assert.equal(await get(transportTo(context, credentials)), 'over 1.1');
  assert.deepEqual(names, ['api.not-in-dns.example']);
});

/** An API server that speaks HTTP/1.1 alone; returns its port. */
function serveHttp1(context: TestContext, { key, cert }: Certificate): Promise<number> {
  const server = createHttpsServer({ key, cert }, (request, response) => {
    response.end(`over ${request.httpVersion}`);
  });
  return serve(context, server);
}

/** Listens until the test has ended, and ends what is open then; returns the port. */
async function serve(context: TestContext, server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => sockets.add(socket));
  await listen(server, 0);
  context.after(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return (server.address() as AddressInfo).port;
}

/** What comes goes to the port of this machine, and back. */
function pipeTo(port: number, socket: Socket): void {
  const target = connectTcp(port, '127.0.0.1');
  for (const [each, other] of [
    [socket, target],
    [target, socket],
  ] as const) {
    each.on('error', () => each.destroy()).on('close', () => other.destroy());
  }
  socket.pipe(target).pipe(socket);
}
