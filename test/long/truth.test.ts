// A million questions about adversarial histories; the short form of the same runs with every `npm test`.

process.env['DIGGER_QUESTIONS'] ??= '1000000';
await import('../addresses/truth.test.ts');
await import('../addresses/replicas.test.ts');
