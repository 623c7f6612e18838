/** `dtesn doctor`: the verdict, then what was found and loaded, and whether every kernel of this machine gives what the scalar one gives. */
import { usableCpus } from '../host/index.js';
import { type KernelCheck, native } from '../native/index.js';
import { argumentsOf } from './arguments.js';
import { printJson, printPage } from './output.js';
import { printable } from './printable.js';
import { columns, Paint } from './terminal.js';

export interface Diagnosis {
  platform: string;
  node: string;
  nodeApi: string;
  binary: string;
  isa: string;
  availableIsas: string[];
  cores: number;
  kernels: KernelCheck[];
  ok: boolean;
}

/** Exit code 1 when a kernel is wrong. */
export function doctor(args: string[]): number {
  const { values } = argumentsOf('doctor', args);
  const diagnosis = diagnose();
  if (values.json) printJson(diagnosis);
  else printPage(doctorPage(printable(diagnosis), new Paint(process.stdout)));
  return diagnosis.ok ? 0 : 1;
}

export function diagnose(): Diagnosis {
  const kernels = native.checkKernels();
  return {
    platform: `${process.platform}-${process.arch}`,
    node: process.version,
    nodeApi: process.versions['napi'] ?? 'unknown',
    binary: native.binary,
    isa: native.isa,
    availableIsas: native.availableIsas,
    cores: usableCpus(),
    kernels,
    ok: kernels.every(({ ok }) => ok),
  };
}

export function doctorPage(diagnosis: Diagnosis, paint: Paint): string {
  const { platform, node, nodeApi, binary, isa, availableIsas, cores, kernels, ok } = diagnosis;
  const facts = columns([
    ['platform', platform],
    ['Node', `${node}, Node-API ${nodeApi}`],
    ['binary', binary],
    ['instruction set', `${isa} of ${availableIsas.join(', ')} (DTESN_ISA chooses another)`],
    ['cores', String(cores)],
  ]);
  const rows = kernels
    .filter((check) => check.isa !== 'scalar')
    .map(({ isa: set, kernel, dtype, error, tolerance, ok: right }) => [
      set,
      kernel,
      dtype,
      right ? paint.good('right') : paint.bad('WRONG'),
      error.toExponential(1),
      paint.dim(`of ${tolerance.toExponential(1)}`),
    ]);
  const verdict = ok ? paint.good('all kernels are right') : paint.bad('a kernel is wrong: do not trust its results');
  return [
    `${paint.bold('dtesn doctor')}  ${verdict}`,
    '',
    ...facts,
    '',
    paint.bold('Kernels against the scalar ones'),
    ...columns(rows, [4]),
  ].join('\n');
}
