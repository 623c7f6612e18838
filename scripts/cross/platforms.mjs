/** The platforms that are prebuilt: the names of Node, of zig's compiler, and what a binary may ask of its system. */

/**
 * @typedef {object} Platform
 * @property {string} name what the tables show, and the folder of the build
 * @property {NodeJS.Platform} platform
 * @property {string} arch
 * @property {'glibc' | 'musl'} [libc] on Linux
 * @property {string} target of `zig c++ -target`
 * @property {string} file in the package, where node-gyp-build looks for it
 */

/** @type {Platform[]} */
export const platforms = [
  linux('x64', 'glibc', 'x86_64-linux-gnu.2.28'),
  linux('arm64', 'glibc', 'aarch64-linux-gnu.2.28'),
  linux('x64', 'musl', 'x86_64-linux-musl'),
  linux('arm64', 'musl', 'aarch64-linux-musl'),
  other('win32', 'x64', 'x86_64-windows-gnu'),
  other('win32', 'arm64', 'aarch64-windows-gnu'),
  other('darwin', 'x64', 'x86_64-macos'),
  other('darwin', 'arm64', 'aarch64-macos'),
];

function linux(arch, libc, target) {
  const name = libc === 'musl' ? `linux-${arch}-musl` : `linux-${arch}`;
  return { name, platform: 'linux', arch, libc, target, file: `prebuilds/linux-${arch}/dtesn.${libc}.node` };
}

function other(platform, arch, target) {
  const name = `${platform}-${arch}`;
  return { name, platform, arch, target, file: `prebuilds/${name}/dtesn.node` };
}

/** The platforms of these names; all of them for none. Errors: a name that is none of them. */
export function platformsNamed(names) {
  const unknown = names.filter((name) => !platforms.some((one) => one.name === name));
  if (unknown.length > 0) {
    const known = platforms.map(({ name }) => name).join(', ');
    throw new Error(`Unknown platform ${unknown.join(', ')}: choose from ${known}`);
  }
  return names.length === 0 ? platforms : platforms.filter(({ name }) => names.includes(name));
}
