import { expect, test } from "bun:test";
import { canonical } from "./canonical.ts";

test.each([
  ["client_encoding", "'utf-8'", "UTF8"],
  ["client_encoding", "unicode", "UTF8"],
  ["client_encoding", "ISO-8859-15", "LATIN9"],
  ["client_encoding", "sql_ascii", "SQL_ASCII"],
  ["client_encoding", "no such", "no such"],
  ["DateStyle", "iso", "ISO, DMY"],
  ["DateStyle", "SQL, US", "SQL, MDY"],
  ["DateStyle", "ymd", "Postgres, YMD"],
  ["DateStyle", "german", "German, DMY"],
  ["DateStyle", "MDY,German", "German, MDY"],
  ["DateStyle", "default", "default"],
  ["IntervalStyle", "ISO_8601", "iso_8601"],
  ["standard_conforming_strings", "tru", "on"],
  ["standard_conforming_strings", "OF", "off"],
  ["standard_conforming_strings", "o", "o"],
  ["TimeZone", "utc", "utc"],
  ["application_name", "ISO", "ISO"],
])("%s, asked for as %p, is %p to the server", (name, asked, told) => {
  expect(canonical(name, asked, "Postgres, DMY")).toBe(told);
});
