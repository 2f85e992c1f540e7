// Raw requests: nothing is decompressed or repaired on the way.
import { get, type IncomingHttpHeaders } from "node:http";

export interface Raw {
  status: number;
  headers: IncomingHttpHeaders;
  bytes: number;
  body: Buffer;
}

/** Fetches an address like a browser that understands brotli, without decoding. */
export async function raw(url: string, headers: Record<string, string> = {}): Promise<Raw> {
  return await new Promise((done, fail) => {
    const request = get(url, { headers: { accept: "text/html", "accept-encoding": "br", ...headers } }, (reply) => {
      const chunks: Buffer[] = [];
      reply.on("data", (chunk: Buffer) => chunks.push(chunk));
      reply.on("end", () => {
        const body = Buffer.concat(chunks);
        done({ status: reply.statusCode ?? 0, headers: reply.headers, bytes: body.length, body });
      });
      reply.on("error", fail);
    });
    request.on("error", fail);
  });
}
