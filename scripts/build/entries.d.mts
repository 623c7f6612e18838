export const entries: Readonly<Record<string, string>>;
export const entryPoints: Readonly<Record<string, string>>;
