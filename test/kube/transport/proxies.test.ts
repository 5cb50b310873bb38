// Proxies on the way to the API server: what they are asked for, and what goes through them.

import assert from 'node:assert/strict';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Socket, connect as connectTcp } from 'node:net';
import { test } from 'node:test';
import { createCertificate } from '../../simulator/server/certificate.ts';
import { GivenCredentials, serveHttp2, transportTo, get, listen } from './serving.ts';

test('12.10 a proxy of the kubeconfig is asked for a tunnel, any 2xx is a yes, and HTTP/2 goes through it', async (context) => {
  const certificate = createCertificate();
  const server = await serveHttp2(context, certificate);
  const asked: string[] = [];
  const sockets = new Set<Socket>();
  const proxy = createHttpServer();
  proxy.on('connect', (request, socket: Socket) => {
    asked.push(`${request.url} ${request.headers['proxy-authorization']}`);
    const target = connectTcp(server.port, '127.0.0.1');
    for (const each of [socket, target]) sockets.add(each.on('error', () => each.destroy()));
    socket.write('HTTP/1.1 204 Established\r\n\r\n');
    socket.pipe(target).pipe(socket);
  });
  await listen(proxy, 0);
  context.after(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => proxy.close(resolve));
  });
  const proxyUrl = `http://me:s%40fe@127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  const transport = transportTo(context, new GivenCredentials(server.url, certificate.cert, proxyUrl));
  assert.match(await get(transport), /over h2/);
  assert.deepEqual(asked, [`127.0.0.1:${server.port} Basic ${Buffer.from('me:s@fe').toString('base64')}`]);
});

test('12.10 a tunnel that is answered with 204 carries HTTP/1.1 too', async (context) => {
  const certificate = createCertificate();
  const server = createHttpsServer({ key: certificate.key, cert: certificate.cert }, (request, response) => {
    response.end(`over ${request.httpVersion}`);
  });
  await listen(server, 0);
  const { port } = server.address() as AddressInfo;
  const sockets = new Set<Socket>();
  const proxy = createHttpServer();
  proxy.on('connect', (_request, socket: Socket) => {
    const target = connectTcp(port, '127.0.0.1');
    for (const each of [socket, target]) sockets.add(each.on('error', () => each.destroy()));
    socket.write('HTTP/1.1 204 Established\r\n\r\n');
    socket.pipe(target).pipe(socket);
  });
  await listen(proxy, 0);
  context.after(async () => {
    for (const socket of sockets) socket.destroy();
    server.closeAllConnections();
    await Promise.all([server, proxy].map((each) => new Promise((resolve) => each.close(resolve))));
  });
  const proxyUrl = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  const transport = transportTo(context, new GivenCredentials(`https://127.0.0.1:${port}`, certificate.cert, proxyUrl));
  assert.equal(await get(transport), 'over 1.1');
  assert.equal(await get(transport), 'over 1.1');
});

test('12.10 a socks5h proxy is given the name of the server, not its address', async (context) => {
  const certificate = createCertificate();
  const server = createHttpsServer({ key: certificate.key, cert: certificate.cert }, (request, response) => {
    response.end(`over ${request.httpVersion}`);
  });
  await listen(server, 0);
  const { port } = server.address() as AddressInfo;
  const names: string[] = [];
  const sockets = new Set<Socket>();
  // RFC 1928: a greeting, then a request with a domain name (3).
  const proxy = createTcpServer((socket) => {
    sockets.add(socket.on('error', () => socket.destroy()));
    socket.once('data', () => {
      socket.write(Buffer.of(5, 0));
      socket.once('data', (request: Buffer) => {
        assert.equal(request[3], 3);
        names.push(request.subarray(5, 5 + (request[4] ?? 0)).toString());
        const target = connectTcp(port, '127.0.0.1');
        sockets.add(target.on('error', () => target.destroy()));
        socket.write(Buffer.of(5, 0, 0, 1, 127, 0, 0, 1, 0, 0));
        socket.pipe(target).pipe(socket);
      });
    });
  });
  await listen(proxy, 0);
  context.after(async () => {
    for (const socket of sockets) socket.destroy();
    server.closeAllConnections();
    await Promise.all([server, proxy].map((each) => new Promise((resolve) => each.close(resolve))));
  });
  const proxyUrl = `socks5h://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  const credentials = new GivenCredentials('https://api.not-in-dns.example:6443', certificate.cert, proxyUrl);
  // The certificate of the test is for 127.0.0.1.
  credentials.tls = { ...credentials.tls, rejectUnauthorized: false };
  assert.equal(await get(transportTo(context, credentials)), 'over 1.1');
  assert.deepEqual(names, ['api.not-in-dns.example']);
});
