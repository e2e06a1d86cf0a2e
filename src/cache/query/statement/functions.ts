/**
 * PostgreSQL's own functions whose answer depends on their arguments, the data, and the settings that are part of the
 * key. What is in neither table is taken to be unknown.
 *
 * A test compares the table with pg_proc of a real server: no name in it has a volatile overload.
 */

const words = (text: string): string[] => text.trim().split(/\s+/);

/** Safe in a cached query. */
export const STABLE_FUNCTIONS: ReadonlySet<string> = new Set([
  // Aggregates and windows
  ...words(`count sum avg min max array_agg string_agg bool_and bool_or every bit_and bit_or bit_xor any_value
    json_agg jsonb_agg json_object_agg jsonb_object_agg json_agg_strict jsonb_agg_strict xmlagg range_agg
    range_intersect_agg stddev stddev_pop stddev_samp variance var_pop var_samp corr covar_pop covar_samp regr_avgx
    regr_avgy regr_count regr_intercept regr_r2 regr_slope regr_sxx regr_sxy regr_syy mode percentile_cont
    percentile_disc rank dense_rank percent_rank cume_dist row_number ntile lag lead first_value last_value nth_value`),
  // Numbers
  ...words(`abs ceil ceiling floor round trunc sign sqrt cbrt power pow exp ln log log10 mod div gcd lcm factorial pi
    degrees radians sin cos tan cot asin acos atan atan2 sind cosd tand asind acosd atand atan2d cotd sinh cosh tanh
    asinh acosh atanh width_bucket scale min_scale trim_scale erf erfc gamma lgamma numeric int4 int8 int2 float4
    float8 bool text varchar bpchar to_number to_bin to_hex to_oct num_nonnulls num_nulls hashint4 hashint8 hashtext`),
  // Texts and bytes
  ...words(`length char_length character_length octet_length bit_length lower upper initcap casefold concat concat_ws
    substring substr left right lpad rpad ltrim rtrim btrim trim replace reverse repeat translate overlay position
    strpos split_part starts_with ascii chr format quote_ident quote_literal quote_nullable md5 sha224 sha256 sha384
    sha512 crc32 crc32c encode decode convert convert_from convert_to get_bit get_byte set_bit set_byte bit_count
    normalize is_normalized unistr to_ascii regexp_count regexp_instr regexp_like regexp_match regexp_matches
    regexp_replace regexp_split_to_array regexp_split_to_table regexp_substr string_to_array string_to_table
    array_to_string like notlike like_escape similar_to_escape similar_escape parse_ident text_larger text_smaller`),
  // Times; those that read the clock are below
  ...words(`date_part extract date_trunc date_bin date_add date_subtract make_date make_time make_timestamp
    make_timestamptz make_interval justify_days justify_hours justify_interval to_char to_date to_timestamp timezone
    isfinite overlaps date time timetz timestamp timestamptz interval`),
  // Arrays, ranges, rows
  ...words(`array_append array_cat array_dims array_fill array_length array_lower array_ndims array_position
    array_positions array_prepend array_remove array_replace array_reverse array_sort array_to_json array_upper
    cardinality trim_array unnest generate_series generate_subscripts isempty lower_inc lower_inf upper_inc upper_inf
    range_merge multirange int4range int8range numrange tsrange tstzrange daterange int4multirange int8multirange
    nummultirange tsmultirange tstzmultirange datemultirange row_to_json enum_first enum_last enum_range`),
  // JSON and XML
  ...words(`to_json to_jsonb json_build_array json_build_object jsonb_build_array jsonb_build_object json_object
    jsonb_object json_array_elements json_array_elements_text json_array_length json_each json_each_text
    json_extract_path json_extract_path_text json_object_keys json_populate_record json_populate_recordset
    json_strip_nulls json_to_record json_to_recordset json_typeof jsonb_array_elements jsonb_array_elements_text
    jsonb_array_length jsonb_each jsonb_each_text jsonb_extract_path jsonb_extract_path_text jsonb_insert
    jsonb_object_keys jsonb_path_exists jsonb_path_match jsonb_path_query jsonb_path_query_array
    jsonb_path_query_first jsonb_populate_record jsonb_populate_recordset jsonb_pretty jsonb_set jsonb_set_lax
    jsonb_strip_nulls jsonb_to_record jsonb_to_recordset jsonb_typeof xpath xpath_exists xmlcomment xmlconcat xmltext`),
  // Search
  ...words(`to_tsvector to_tsquery plainto_tsquery phraseto_tsquery websearch_to_tsquery ts_rank ts_rank_cd ts_headline
    ts_delete ts_filter setweight strip numnode querytree tsvector_to_array array_to_tsvector tsquery_phrase
    json_to_tsvector jsonb_to_tsvector`),
  // Networks, geometry, identifiers
  ...words(`abbrev broadcast family host hostmask inet_merge inet_same_family masklen netmask network set_masklen
    macaddr8_set7bit area box center circle diameter height isclosed isopen line lseg npoints path pclose point polygon
    popen radius slope width bound_box diagonal uuid_extract_timestamp uuid_extract_version`),
]);

/** PostgreSQL's own, known to differ from call to call, from session to session or from server to server. */
const UNSTABLE: ReadonlySet<string> = new Set(
  words(`now transaction_timestamp statement_timestamp clock_timestamp timeofday age random random_normal setseed
    gen_random_uuid uuidv4 uuidv7 nextval currval lastval setval current_setting set_config current_database
    current_schema current_schemas current_query version inet_client_addr inet_client_port inet_server_addr
    inet_server_port txid_current row_security_active obj_description col_description shobj_description format_type
    query_to_xml table_to_xml schema_to_xml database_to_xml cursor_to_xml lo_get lo_put lo_from_bytea`),
);

/** Whether an unqualified or `pg_catalog` name is one of PostgreSQL's own that must not be cached. */
export function isUnstableBuiltin(name: string): boolean {
  return UNSTABLE.has(name) || /^(?:pg_|has_|txid_|to_reg|lo_|binary_upgrade)/.test(name);
}
