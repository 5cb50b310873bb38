// Two hundred thousand steps of the reflector against the model; the short form of the same runs with every `npm test`.

process.env['REFLECTOR_STEPS'] ??= '200000';
await import('../kube/reflector/reflector-model.test.ts');
