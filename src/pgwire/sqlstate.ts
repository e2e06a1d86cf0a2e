/** The SQLSTATE codes that we send or decide by (PostgreSQL documentation, appendix A). */
export const SQLSTATE = {
  connectionException: "08000",
  connectionFailure: "08006",
  transactionResolutionUnknown: "08007",
  protocolViolation: "08P01",
  featureNotSupported: "0A000",
  invalidParameterValue: "22023",
  readOnlyTransaction: "25006",
  inFailedTransaction: "25P02",
  idleInTransactionTimeout: "25P03",
  invalidStatementName: "26000",
  invalidAuthorization: "28000",
  invalidPassword: "28P01",
  noSuchDatabase: "3D000",
  duplicateStatement: "42P05",
  tooManyConnections: "53300",
  programLimitExceeded: "54000",
  objectNotInPrerequisiteState: "55000",
  queryCanceled: "57014",
  adminShutdown: "57P01",
  crashShutdown: "57P02",
  cannotConnectNow: "57P03",
  idleSessionTimeout: "57P05",
  undefinedFile: "58P01",
  internalError: "XX000",
} as const;

/** One of the codes above. */
export type SqlState = (typeof SQLSTATE)[keyof typeof SQLSTATE];
