/** The files of deploy/, checked by the programs that read them. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

const deploy = path.resolve(import.meta.dirname, '../../deploy');
const read = (name: string) => readFileSync(path.join(deploy, name), 'utf8');
const absent = (program: string, ...args: string[]) => spawnSync(program, args).status !== 0;

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'dtesn-deploy-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

function run(program: string, args: string[]): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync(program, args, { cwd: folder, encoding: 'utf8' });
  return { status, output: stdout + stderr };
}

describe('alerts.yml', () => {
  const promtool = test.skipIf(absent('promtool', '--version'));

  promtool('promtool check rules takes every rule', () => {
    const { status, output } = run('promtool', ['check', 'rules', path.join(deploy, 'alerts.yml')]);
    const alerts = read('alerts.yml').match(/- alert: /g)!.length;
    expect([status, output]).toEqual([0, expect.stringContaining(`SUCCESS: ${alerts} rules found`)]);
  });

  promtool('promtool test rules: alerts fire when they should and not before', () => {
    copyFileSync(path.join(deploy, 'alerts.yml'), path.join(folder, 'alerts.yml'));
    copyFileSync(path.join(import.meta.dirname, 'alerts.rules-test.yml'), path.join(folder, 'test.yml'));
    const { status, output } = run('promtool', ['test', 'rules', 'test.yml']);
    expect([status, output]).toEqual([0, expect.stringContaining('SUCCESS')]);
  });

  test('each alert has a name of its own, a severity, a summary and a runbook', () => {
    const rules = read('alerts.yml').split('- alert: ').slice(1);
    expect(new Set(rules.map((rule) => rule.split('\n')[0])).size).toBe(rules.length);
    for (const rule of rules) {
      expect(rule).toMatch(/severity: (critical|warning|info)\n/);
      expect(rule).toMatch(/summary: ".+\."\n/);
      expect(rule).toMatch(/runbook: ".+\."\n/);
    }
  });
});

describe('the units of systemd', () => {
  test.skipIf(absent('systemd-analyze', '--version'))('systemd-analyze verify has no remark', () => {
    // Its program is not installed here: another one stands in its place.
    const service = read('dtesn-bridge.service').replace('/usr/local/bin/dtesn', process.execPath);
    const units = { 'dtesn-bridge.service': service, 'dtesn-bridge.socket': read('dtesn-bridge.socket') };
    for (const [name, text] of Object.entries(units)) writeFileSync(path.join(folder, name), text);
    const { output } = run('systemd-analyze', ['verify', ...Object.keys(units).map((name) => path.join(folder, name))]);
    expect(output.split('\n').filter((line) => line.includes('dtesn-bridge'))).toEqual([]);
  });

  test('systemd waits for longer than a drain may take', () => {
    const seconds = Number(/^TimeoutStopSec=(\d+)$/m.exec(read('dtesn-bridge.service'))![1]);
    expect(seconds).toBeGreaterThan(5 + 3 + 1.5);
  });
});

describe('kubernetes-sidecar.yaml', () => {
  test.skipIf(absent('python3', '-c', 'import yaml'))(
    'a YAML parser reads a pod whose bridge has probes of three seconds on the probe port, and no readinessProbe',
    () => {
      const code = 'import json, sys, yaml; print(json.dumps(yaml.safe_load(open(sys.argv[1]))))';
      const { output } = run('python3', ['-c', code, path.join(deploy, 'kubernetes-sidecar.yaml')]);
      const [bridge] = JSON.parse(output).spec.initContainers;
      expect(bridge.restartPolicy).toBe('Always');
      expect(bridge.readinessProbe).toBeUndefined();
      for (const probe of [bridge.startupProbe, bridge.livenessProbe]) {
        expect(probe).toMatchObject({ timeoutSeconds: 3, httpGet: { path: '/livez', port: 'probes' } });
      }
      expect(bridge.ports).toContainEqual({ name: 'probes', containerPort: 2251 });
    },
  );
});

test('every flag that the files of deploy/ give is one that the page names', () => {
  const known = new Set(read('README.md').match(/--[a-z][a-z-]+/g));
  const given = ['dtesn-bridge.service', 'kubernetes-sidecar.yaml'].flatMap((name) => {
    const text = read(name)
      .split('\n')
      .filter((line) => /^(ExecStart=| +- --)/.test(line));
    return text.join('\n').match(/--[a-z][a-z-]+/g)!;
  });
  expect(given.length).toBeGreaterThan(8);
  expect(given.filter((flag) => !known.has(flag))).toEqual([]);
});
