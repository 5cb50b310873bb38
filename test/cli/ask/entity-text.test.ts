// What people read of an answer: terms and cells, with nothing that was not said.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { entityLines } from '../../../src/cli/ask/entity-text.ts';
import { resolutionLines, resolutionRow } from '../../../src/cli/ask/answer-text.ts';

describe('an answer as text', () => {
  it('shows zone, region, service account and readiness of a pod in wide tables only', () => {
    const pod = { name: 'web-1', nodeName: 'n', zone: 'eu-1a', region: 'eu-1', serviceAccount: 'web', ready: true };
    const resolution = { outcome: 'OUTCOME_RESOLVED', pod };
    const place = ['ZONE       eu-1a  region eu-1', 'ACCOUNT    web', 'READY      yes'];
    assert.deepEqual(
      resolutionLines(resolution, true).filter((line) => place.includes(line)),
      place,
    );
    assert.ok(!resolutionLines(resolution).some((line) => place.includes(line)));
    assert.deepEqual(
      entityLines({ pod }, true).filter((line) => place.includes(line)),
      place,
    );
  });

  it('shows attributes, lists with commas', () => {
    const otelAttributes = [
      { key: 'k8s.pod.name', value: { stringValue: 'web-1' } },
      { key: 'container.image.tags', value: { arrayValue: { values: [{ stringValue: '1' }, { stringValue: '2' }] } } },
    ];
    assert.deepEqual(resolutionLines({ outcome: 'OUTCOME_RESOLVED', otelAttributes }).slice(1), [
      'ATTRIBUTE  k8s.pod.name=web-1',
      'ATTRIBUTE  container.image.tags=1,2',
    ]);
  });

  it('names the network of an address outside of the cluster', () => {
    const network = { name: 'S3', kind: 'aws', region: 'eu-west-1', range: '52.218.0.0/17' };
    const resolution = { outcome: 'OUTCOME_EXTERNAL', network };
    assert.deepEqual(resolutionLines(resolution).slice(0, 2), [
      'OUTCOME    EXTERNAL',
      'NETWORK    S3 (aws, eu-west-1)  52.218.0.0/17',
    ]);
    assert.deepEqual(resolutionRow(resolution), ['EXTERNAL', 'S3 (aws, eu-west-1)  52.218.0.0/17', '']);
    const bare = { outcome: 'OUTCOME_EXTERNAL', network: { name: 'partner', range: '192.0.2.1/32' } };
    assert.deepEqual(resolutionRow(bare), ['EXTERNAL', 'partner  192.0.2.1/32', '']);
  });
});
