"""What SQL of users may be made of: functions, types and words; what is not listed here is refused."""

_AGGREGATES = """
    any anyLast argMax argMin avg avgWeighted corr count covarPop covarSamp entropy groupArray groupUniqArray
    kurtPop kurtSamp max median min quantile quantileExact quantiles quantilesExact quantileTDigest quantilesTDigest
    simpleLinearRegression skewPop skewSamp stddevPop stddevSamp stddev_pop stddev_samp sum sumMap topK uniq
    uniqCombined uniqExact uniqHLL12 varPop varSamp var_pop var_samp maxMap minMap boundingRatio
    first_value last_value groupBitAnd groupBitOr groupBitXor studentTTest welchTTest mannWhitneyUTest
"""
_COMBINATORS = ("", "If", "Distinct", "OrNull", "OrDefault", "DistinctIf", "OrNullIf", "Array")
_WINDOWS = """
    row_number rank dense_rank percent_rank ntile lag lead lagInFrame leadInFrame nth_value cume_dist
"""
_CONDITIONS = (
    "if multiIf coalesce ifNull nullIf isNull isNotNull assumeNotNull toNullable greatest least and or not xor"
)
_NUMBERS = """
    abs ceil ceiling exp exp2 exp10 floor intDiv intDivOrZero isFinite isInfinite isNaN log log2 log10 ln log1p mod
    modulo negate plus minus multiply divide pow power round roundBankers sign sqrt cbrt trunc truncate sin cos tan
    tanh sigmoid gcd lcm bitAnd bitOr bitXor bitCount widthBucket max2 min2
"""
_TEXTS = """
    concat concatWithSeparator empty notEmpty endsWith startsWith extract extractAll extractAllGroups format
    formatReadableSize formatReadableQuantity formatReadableTimeDelta hasToken hasAllTokens hasAnyTokens
    left length lengthUTF8 lower lowerUTF8 leftPad rightPad match multiMatchAny
    multiSearchAny multiSearchAnyCaseInsensitive position positionCaseInsensitive positionCaseInsensitiveUTF8
    positionUTF8 countSubstrings replace replaceAll replaceOne replaceRegexpAll replaceRegexpOne reverse reverseUTF8
    right splitByChar splitByNonAlpha splitByRegexp splitByString splitByWhitespace substring substringUTF8 substr
    substringIndex tokens ngrams trim trimBoth trimLeft trimRight ltrim rtrim upper upperUTF8 like ilike notLike
    levenshteinDistance editDistance jaroSimilarity jaroWinklerSimilarity ngramDistance ngramSearch soundex
    base64Encode base64Decode hex unhex char ascii isValidUTF8 domain path cutQueryString extractURLParameter
    MD5 SHA256 cityHash64 sipHash64 xxHash32 xxHash64
"""
_TIMES = """
    addDays addHours addMinutes addMonths addSeconds addWeeks addYears age dateDiff date_diff dateName dateTrunc
    date_trunc formatDateTime fromUnixTimestamp fromUnixTimestamp64Micro fromUnixTimestamp64Milli now now64
    parseDateTime parseDateTimeBestEffort parseDateTimeBestEffortOrNull subtractDays subtractHours subtractMinutes
    subtractMonths subtractSeconds subtractWeeks subtractYears timeSlot toDayOfMonth toDayOfWeek toDayOfYear toHour
    toISOWeek toISOYear toMinute toMonday toMonth toQuarter toSecond toStartOfDay toStartOfFifteenMinutes
    toStartOfFiveMinutes toStartOfHour toStartOfInterval toStartOfMinute toStartOfMonth toStartOfQuarter
    toStartOfSecond toStartOfTenMinutes toStartOfWeek toStartOfYear toTimeZone toTimezone toUnixTimestamp
    toUnixTimestamp64Micro toUnixTimestamp64Milli toYYYYMM toYYYYMMDD toYear toWeek today yesterday
    toIntervalSecond toIntervalMinute toIntervalHour toIntervalDay toIntervalWeek toIntervalMonth toIntervalYear
"""
_CONVERSIONS = """
    toBool toDate toDate32 toDateOrNull toDateTime toDateTime64 toDateTimeOrNull toDecimal32 toDecimal64 toDecimal128
    toFloat32 toFloat64 toFloat64OrNull toFloat64OrZero toInt8 toInt16 toInt32 toInt64 toInt64OrNull toInt64OrZero
    toString toUInt8 toUInt16 toUInt32 toUInt64 toUInt64OrNull toUInt64OrZero accurateCastOrNull
    toTypeName toFixedString toLowCardinality
"""
_NESTED = """
    array arrayAll arrayAvg arrayConcat arrayCount arrayCumSum arrayDifference arrayDistinct arrayElement
    arrayEnumerate arrayExists arrayFilter arrayFirst arrayFirstIndex arrayFlatten arrayIntersect arrayJoin arrayLast
    arrayMap arrayMax arrayMin arrayPopBack arrayPopFront arrayProduct arrayReverse arraySlice arraySort
    arrayReverseSort arrayStringConcat arraySum arrayUniq arrayZip has hasAll hasAny indexOf countEqual
    map mapContains mapContainsKey mapFilter mapFromArrays mapKeys mapValues mapAdd mapApply mapExists mapSort
    tuple tupleElement untuple range cosineDistance L1Distance L2Distance dotProduct
"""
_JSON = """
    isValidJSON JSONExtract JSONExtractArrayRaw JSONExtractBool JSONExtractFloat JSONExtractInt JSONExtractKeys
    JSONExtractKeysAndValues JSONExtractRaw JSONExtractString JSONExtractUInt JSONHas JSONLength JSONType JSON_EXISTS
    JSON_QUERY JSON_VALUE simpleJSONExtractString simpleJSONExtractFloat simpleJSONExtractInt simpleJSONHas
    toJSONString
"""

# ClickHouse itself distinguishes upper and lower case in most names: a name that it does not know is its error to tell.
FUNCTIONS = frozenset(
    name.lower()
    for name in (
        *(aggregate + combinator for aggregate in _AGGREGATES.split() for combinator in _COMBINATORS),
        *f"{_WINDOWS} {_CONDITIONS} {_NUMBERS} {_TEXTS} {_TIMES} {_CONVERSIONS} {_NESTED} {_JSON}".split(),
    )
)

TYPES = frozenset(
    """
    Array Bool Date Date32 DateTime DateTime64 Decimal Decimal32 Decimal64 Decimal128 FixedString Float32 Float64 Int8
    Int16 Int32 Int64 LowCardinality Map Nullable String Tuple UInt8 UInt16 UInt32 UInt64
    """.lower().split()
)

# Words that may stand before a parenthesis without being a function.
BEFORE_PARENTHESIS = frozenset(
    [
        "all",
        "and",
        "any",
        "as",
        "between",
        "by",
        "case",
        "cast",
        "distinct",
        "else",
        "except",
        "except",
        "exists",
        "from",
        "having",
        "in",
        "intersect",
        "join",
        "limit",
        "not",
        "offset",
        "on",
        "or",
        "over",
        "rollup",
        "cube",
        "select",
        "sets",
        "then",
        "union",
        "using",
        "when",
        "where",
        "with",
        "extract",
    ]
)
WORDS = BEFORE_PARENTHESIS | frozenset(
    [
        "anti",
        "array",
        "asc",
        "asof",
        "cross",
        "current",
        "desc",
        "end",
        "escape",
        "false",
        "fill",
        "first",
        "following",
        "full",
        "global",
        "group",
        "ilike",
        "inner",
        "interval",
        "is",
        "last",
        "left",
        "like",
        "natural",
        "null",
        "nulls",
        "order",
        "outer",
        "partition",
        "preceding",
        "qualify",
        "range",
        "right",
        "row",
        "rows",
        "semi",
        "ties",
        "totals",
        "true",
        "unbounded",
        "grouping",
        "second",
        "minute",
        "hour",
        "day",
        "week",
        "month",
        "quarter",
        "year",
    ]
)
