/** Certificates for tests: an authority, and those whom it vouches for. openssl makes them. */
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

/** Whether certificates can be made on this machine. */
export const hasOpenssl: boolean = Bun.which("openssl") !== null;

/** Paths of a certificate and its key, PEM. */
export interface TestCertificate {
  readonly cert: string;
  readonly key: string;
}

const KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];

/** Makes a certificate authority in `folder`. */
export function makeAuthority(folder: string, name = "ca"): TestCertificate {
  const paths = pathsOf(folder, name);
  run([
    "req",
    "-x509",
    ...KEY,
    "-keyout",
    paths.key,
    "-out",
    paths.cert,
    "-days",
    "60",
    "-subj",
    `/CN=${name}`,
  ]);
  return paths;
}

/** Makes a certificate of `authority` for `names`, as "IP:127.0.0.1,DNS:localhost". */
export function makeCertificate(
  folder: string,
  name: string,
  authority: TestCertificate,
  names = "IP:127.0.0.1,DNS:localhost",
): TestCertificate {
  const paths = pathsOf(folder, name);
  const [request, extensions] = [join(folder, `${name}.csr`), join(folder, `${name}.ext`)];
  writeFileSync(extensions, `subjectAltName=${names}\n`);
  run(["req", ...KEY, "-keyout", paths.key, "-out", request, "-subj", `/CN=${name}`]);
  const by = ["-CA", authority.cert, "-CAkey", authority.key, "-CAcreateserial"];
  run(["x509", "-req", "-in", request, ...by, "-out", paths.cert, "-days", "30", "-extfile", extensions]);
  return paths;
}

function pathsOf(folder: string, name: string): TestCertificate {
  return { cert: join(folder, `${name}.pem`), key: join(folder, `${name}.key`) };
}

function run(args: readonly string[]): void {
  const { status, stderr } = spawnSync("openssl", args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`openssl ${args.join(" ")}: ${stderr}`);
}
