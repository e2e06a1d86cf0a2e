/**
 * Tables of the grammar: what may stand in a query that is cached, and what each kind of statement does.
 *
 * Names are those of PostgreSQL's parse nodes. What is in no table is unknown: not cached, and taken to change all.
 */

const words = (text: string): string[] => text.trim().split(/\s+/);

/** Nodes that change nothing and whose value follows from their parts. */
export const QUERY_NODES: ReadonlySet<string> = new Set(
  words(`SelectStmt ResTarget ColumnRef A_Star A_Const A_Expr A_Indices A_Indirection A_ArrayExpr BoolExpr NullTest
    BooleanTest ParamRef TypeCast TypeName CaseExpr CaseWhen CoalesceExpr MinMaxExpr RowExpr SubLink CollateClause
    FuncCall NamedArgExpr GroupingFunc GroupingSet WindowDef SortBy JoinExpr RangeVar RangeSubselect RangeFunction
    RangeTableFunc RangeTableFuncCol CommonTableExpr WithClause CTESearchClause CTECycleClause Alias List String Integer
    Float Boolean BitString ColumnDef XmlExpr XmlSerialize JsonTable JsonTableColumn JsonTablePathSpec JsonFuncExpr
    JsonValueExpr JsonReturning JsonFormat JsonOutput JsonArgument JsonBehavior JsonObjectConstructor JsonArrayConstructor
    JsonArrayQueryConstructor JsonObjectAgg JsonArrayAgg JsonAggConstructor JsonKeyValue JsonIsPredicate JsonParseExpr
    JsonScalarExpr JsonSerializeExpr`),
);

/** Statements that change neither data nor definitions nor the session. EXPLAIN is looked into. */
export const HARMLESS_STATEMENTS: ReadonlySet<string> = new Set(
  words(`VariableShowStmt ListenStmt UnlistenStmt NotifyStmt PrepareStmt DeallocateStmt DeclareCursorStmt FetchStmt
    ClosePortalStmt VacuumStmt CheckPointStmt ReindexStmt LockStmt CommentStmt ConstraintsSetStmt`),
);

/** SET of these changes no answer. */
export const HARMLESS_SETTINGS: ReadonlySet<string> = new Set(
  words(`application_name statement_timeout lock_timeout idle_in_transaction_session_timeout
    idle_session_timeout transaction_timeout work_mem client_min_messages synchronous_commit`),
);

/** PostgreSQL's names of transaction control -> ours; what is missing changes nothing here. */
export const TRANSACTION_STEPS: Readonly<Record<string, "begin" | "commit" | "rollback" | "prepare">> = {
  TRANS_STMT_BEGIN: "begin",
  TRANS_STMT_START: "begin",
  TRANS_STMT_COMMIT: "commit",
  TRANS_STMT_ROLLBACK: "rollback",
  TRANS_STMT_PREPARE: "prepare",
};
