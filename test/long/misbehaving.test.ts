// The watching side against the misbehaving server for ten minutes, HTTP/1.1 included; the short form is with the fast
// tests.

process.env['MISBEHAVING_SECONDS'] ??= '600';
await import('../kube/misbehaving/misbehaving.test.ts');
