import { describe, expect, test } from "bun:test";
import { COMMANDS } from "./commands.ts";
import { tenfold } from "./testing.ts";

describe("every command", () => {
  for (const [name, load] of Object.entries(COMMANDS)) {
    test(`${name} is found by its own name`, async () => expect((await load()).name).toBe(name));

    test(`${name} --help shows usage, options and an example that begins with its name`, async () => {
      const { code, out } = await tenfold([name, "--help"]);
      expect(code).toBe(0);
      expect(out).toMatch(new RegExp(`Usage: tenfold ${name}\\b`));
      expect(out).toContain("--help");
      expect(out).toContain(`  tenfold ${name}`);
    });

    test(`${name} reads the same with -h and with help`, async () => {
      const [long, short, topic] = await Promise.all(
        [
          [name, "--help"],
          [name, "-h"],
          ["help", name],
        ].map((words) => tenfold(words)),
      );
      expect([short, topic]).toEqual([long!, long!]);
    });

    test(`${name} refuses an option it does not have, and shows its usage`, async () => {
      const { code, err } = await tenfold([name, "--qqqqq"]);
      expect(code).toBe(2);
      expect(err).toContain(`${name} has no option --qqqqq`);
      expect(err).toContain(`usage: tenfold ${name}`);
    });
  }

  test("an option says what holds without it", async () => {
    expect((await tenfold(["run", "--help"])).out).toMatch(
      /--port P .*\(default: 8080, or the next free one\)/,
    );
  });
});

describe("the command line", () => {
  test("lists every command", async () => {
    const { code, out } = await tenfold(["--help"]);
    expect(code).toBe(0);
    for (const load of Object.values(COMMANDS)) {
      const { name, summary } = await load();
      expect(out).toMatch(new RegExp(`${name} +${summary}`));
    }
  });

  test("without a command shows the same on stderr and exits 2", async () => {
    const { code, err, out } = await tenfold([]);
    expect([code, out]).toEqual([2, ""]);
    expect(err).toContain("Usage: tenfold COMMAND");
  });

  test("tells its version", async () => {
    expect(await tenfold(["--version"])).toEqual({ code: 0, out: "0.1.0", err: "" });
  });

  const mistakes: [words: string[], message: string][] = [
    [["dpeloy"], 'there is no command "dpeloy": did you mean "deploy"?'],
    [["frobnicate"], 'there is no command "frobnicate": see `tenfold --help`'],
    [["--verison"], "there is no option --verison"],
    [["help", "statsu"], 'did you mean "status"?'],
    [["status", "--jsno"], "status has no option --jsno: did you mean --json?"],
    [["deploy"], "deploy lacks SERVICE"],
    [["scale", "web"], "scale lacks N"],
    [["scale"], "scale lacks SERVICE and N"],
    [["scale", "web", "many"], 'N is "many": write a whole number from 0 to 1000'],
    [["status", "web"], 'status does not know what to do with "web"'],
    [["run", "--tasks", "0", "--", "node"], '--tasks is "0": write a whole number from 1 to 1000'],
    [["run", "--tasks", "--port", "1"], "--tasks lacks its value: write --tasks N"],
    [["run", "--tasks"], "--tasks lacks its value"],
    [["run", "node", "server.js"], "put -- before the command: tenfold run -- node server.js"],
    [["run"], "run lacks CMD…: write it after --, such as: -- node server.js"],
    [["status", "--json=yes"], "--json takes no value"],
    [["explain", "GET", "users"], 'PATH is "users": begin it with "/"'],
    [["explain", "GET", "/", "--source", "home"], '--source is "home": write an IP address'],
    [["explain", "GET", "/", "--header", "beta"], '--header is "beta": write NAME:VALUE'],
    [["top", "--json"], "--json prints one reading: add --once"],
  ];
  for (const [words, message] of mistakes) {
    test(`tenfold ${words.join(" ")}: ${message}`, async () => {
      const { code, err } = await tenfold(words);
      expect(code).toBe(2);
      expect(err).toContain(message);
    });
  }
});
