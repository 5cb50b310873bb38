// The commands of README and of the chart's README that need helm or kustomize, run by a shell as they stand: the chart
// installs on a real API server, and the overlay is built with the image that it was told.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { shownCommands } from '../project/readme-commands.ts';
import { readText } from '../project/repository.ts';
import { findOrBuildHelm, findOrBuildKustomize } from './binaries.ts';
import { ControlPlane } from './control-plane.ts';
import { DEPLOY_DIRECTORY } from './manifests.ts';

const commands = [
  ...new Set(
    ['README.md', 'deploy/helm/digger/README.md']
      .flatMap((page) => shownCommands(readText(page)))
      .map(({ command }) => command),
  ),
];

describe('the documented command', () => {
  let plane: ControlPlane;
  let folder: string;
  before(async () => {
    plane = await ControlPlane.start({ controllers: false });
    folder = mkdtempSync(join(tmpdir(), 'digger-documented-'));
    symlinkSync(await findOrBuildHelm(), join(folder, 'helm'));
    symlinkSync(await findOrBuildKustomize(), join(folder, 'kustomize'));
    cpSync(DEPLOY_DIRECTORY, join(folder, 'deploy'), { recursive: true });
  });
  after(async () => {
    await plane?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  function shell(command: string): string {
    const { status, stdout, stderr } = spawnSync('bash', ['-c', command], {
      cwd: folder,
      encoding: 'utf8',
      env: {
        ...process.env,
        PATH: [folder, process.env['PATH']].join(delimiter),
        KUBECONFIG: plane.adminKubeconfig,
        HOME: folder,
      },
    });
    assert.equal(status, 0, `${command}\n${stdout}${stderr}`);
    return stdout;
  }

  for (const command of commands.filter((each) => each.startsWith('helm install'))) {
    it(`${command} installs, says what to do next, and can be undone`, () => {
      const said = shell(command);
      assert.match(said, /^STATUS: deployed$/m);
      assert.match(said, /kubectl .*port-forward/);
      const namespace = /--namespace (\S+)/.exec(command)?.[1];
      const [, image] = /image: "?([^\s"]+)/.exec(shell(`helm get manifest digger -n ${namespace ?? 'default'}`)) ?? [];
      assert.match(image ?? '', namespace === undefined ? /^digger:\d/ : /^registry\.example\/digger:\d/);
      shell(`helm uninstall digger --wait=false -n ${namespace ?? 'default'}`);
    });
  }

  for (const command of commands.filter((each) => each.includes('kustomize edit set image'))) {
    it(`${command} makes the overlay run that image`, () => {
      const built = shell(`${command} && kustomize build .`);
      const image = command.split('digger=')[1] ?? '';
      assert.ok(built.includes(`image: ${image}\n`), image);
    });
  }

  it('stands in the documents: there are helm and kustomize commands', () => {
    assert.ok(commands.filter((each) => /^helm install|kustomize edit/.test(each)).length >= 3);
  });
});
