import { describe, expect, test } from "bun:test";
import { readConfig } from "./testing.ts";
