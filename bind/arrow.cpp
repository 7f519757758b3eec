#include "arrow.h"

#include <cstring>
#include <string>
#include <vector>

#include "texts.h"

namespace nb = nanobind;

// The Arrow C data and stream interfaces, as their specification gives them.
struct ArrowSchema {
  const char *format, *name, *metadata;
  std::int64_t flags, n_children;
  ArrowSchema **children, *dictionary;
  void (*release)(ArrowSchema*);
  void* private_data;
};

struct ArrowArray {
  std::int64_t length, null_count, offset, n_buffers, n_children;
  const void** buffers;
  ArrowArray **children, *dictionary;
  void (*release)(ArrowArray*);
  void* private_data;
};

struct ArrowArrayStream {
  int (*get_schema)(ArrowArrayStream*, ArrowSchema*);
  int (*get_next)(ArrowArrayStream*, ArrowArray*);
  const char* (*get_last_error)(ArrowArrayStream*);
  void (*release)(ArrowArrayStream*);
  void* private_data;
};

namespace wordrow {
namespace {

template <class T>
struct Releaser {
  T value{};
  Releaser() = default;
  Releaser(const Releaser&) = delete;
  Releaser& operator=(const Releaser&) = delete;
  ~Releaser() {
    if (value.release) value.release(&value);
  }
};

struct Column : ArrowColumn {
  std::vector<std::unique_ptr<Releaser<ArrowArray>>> chunks;
};

bool bit(const void* bitmap, std::int64_t i) {
  return !bitmap || (static_cast<const std::uint8_t*>(bitmap)[i >> 3] >> (i & 7) & 1);
}

template <class T>
T value_at(const void* buffer, std::int64_t i) {
  T value;
  std::memcpy(&value, static_cast<const char*>(buffer) + static_cast<std::size_t>(i) * sizeof(T),
              sizeof(T));
  return value;
}

[[noreturn]] void refuse(const char* format) {
  throw std::invalid_argument(std::string("an Arrow column of texts must be utf8, large_utf8, "
                                          "utf8_view, a dictionary of these or a struct of one "
                                          "of these; received the Arrow type '") +
                              format + "'");
}

TextView view(const void* data, std::int64_t begin, std::int64_t end) {
  return {static_cast<const char*>(data) + begin, static_cast<std::size_t>(end - begin),
          Encoding::kUtf8};
}

// A "vu" entry: length, then up to 12 bytes in place, or a prefix, a buffer
// number and an offset.
TextView view_at(const ArrowArray& array, std::int64_t i) {
  const char* entry = static_cast<const char*>(array.buffers[1]) + 16 * i;
  const auto length = value_at<std::int32_t>(entry, 0);
  if (length <= 12) return view(entry, 4, 4 + length);
  const auto buffer = value_at<std::int32_t>(entry, 2), offset = value_at<std::int32_t>(entry, 3);
  return view(array.buffers[2 + buffer], offset, static_cast<std::int64_t>(offset) + length);
}

std::int64_t index_at(const ArrowSchema& schema, const ArrowArray& array, std::int64_t i) {
  const void* indices = array.buffers[1];
  switch (schema.format[0]) {
    case 'c': return value_at<std::int8_t>(indices, i);
    case 'C': return value_at<std::uint8_t>(indices, i);
    case 's': return value_at<std::int16_t>(indices, i);
    case 'S': return value_at<std::uint16_t>(indices, i);
    case 'i': return value_at<std::int32_t>(indices, i);
    case 'I': return value_at<std::uint32_t>(indices, i);
    case 'l': return value_at<std::int64_t>(indices, i);
    case 'L': return static_cast<std::int64_t>(value_at<std::uint64_t>(indices, i));
    default: refuse(schema.format);
  }
}

// Row i of an array, counted from the array's own offset; false for a null.
bool read_row(const ArrowSchema& schema, const ArrowArray& array, std::int64_t i, TextView* text) {
  const std::int64_t at = array.offset + i;
  const std::string_view format = schema.format;
  if (format == "+s") {
    if (schema.n_children != 1) refuse(schema.format);
    if (!bit(array.buffers[0], at)) return false;
    return read_row(*schema.children[0], *array.children[0], at, text);
  }
  if (array.n_buffers > 0 && array.null_count != 0 && !bit(array.buffers[0], at)) return false;
  if (schema.dictionary)
    return read_row(*schema.dictionary, *array.dictionary, index_at(schema, array, at), text);
  if (format == "u") {
    const void* ends = array.buffers[1];
    *text = view(array.buffers[2], value_at<std::int32_t>(ends, at),
                 value_at<std::int32_t>(ends, at + 1));
  } else if (format == "U") {
    const void* ends = array.buffers[1];
    *text = view(array.buffers[2], value_at<std::int64_t>(ends, at),
                 value_at<std::int64_t>(ends, at + 1));
  } else if (format == "vu") {
    *text = view_at(array, at);
  } else {
    refuse(schema.format);
  }
  return true;
}

// Refuses a type before any row is read, so that an empty column is checked too.
void check_type(const ArrowSchema& schema) {
  const std::string_view format = schema.format;
  if (format == "+s" && schema.n_children == 1) return check_type(*schema.children[0]);
  if (schema.dictionary) return check_type(*schema.dictionary);
  if (format != "u" && format != "U" && format != "vu") refuse(schema.format);
}

void read_chunk(const ArrowSchema& schema, const ArrowArray& array, Documents& documents) {
  for (std::int64_t i = 0; i < array.length; ++i) {
    TextView text;
    if (!read_row(schema, array, i, &text))
      raise_bad_row(static_cast<std::ptrdiff_t>(documents.size()), "null", "");
    documents.pieces.push_back(text);
    documents.offsets.push_back(documents.pieces.size());
    documents.is_tokens.push_back(false);
  }
}

template <class T>
void take(const nb::object& capsule, const char* name, T* to) {
  auto* from = static_cast<T*>(PyCapsule_GetPointer(capsule.ptr(), name));
  if (!from) nb::raise_python_error();
  if (!from->release) throw std::invalid_argument("the Arrow data was read already; give it anew");
  *to = *from;
  from->release = nullptr;  // ownership moves here
}

void read_stream(nb::handle object, Column& column, Documents& documents) {
  Releaser<ArrowArrayStream> stream;
  take(nb::object(object.attr("__arrow_c_stream__")()), "arrow_array_stream", &stream.value);
  const auto check = [&](int code) {
    if (code == 0) return;
    const char* why = stream.value.get_last_error(&stream.value);
    throw std::invalid_argument(std::string("the Arrow stream failed: ") + (why ? why : "?"));
  };
  Releaser<ArrowSchema> schema;
  // The producer may need Python on other threads meanwhile.
  const auto ask = [&](auto function, auto* to) {
    nb::gil_scoped_release release;
    return function(&stream.value, to);
  };
  check(ask(stream.value.get_schema, &schema.value));
  check_type(schema.value);
  for (;;) {
    auto chunk = std::make_unique<Releaser<ArrowArray>>();
    check(ask(stream.value.get_next, &chunk->value));
    if (!chunk->value.release) break;
    read_chunk(schema.value, chunk->value, documents);
    column.chunks.push_back(std::move(chunk));
  }
}

void read_array(nb::handle object, Column& column, Documents& documents) {
  const nb::tuple pair = nb::cast<nb::tuple>(object.attr("__arrow_c_array__")());
  Releaser<ArrowSchema> schema;
  auto chunk = std::make_unique<Releaser<ArrowArray>>();
  take(nb::object(pair[0]), "arrow_schema", &schema.value);
  take(nb::object(pair[1]), "arrow_array", &chunk->value);
  check_type(schema.value);
  read_chunk(schema.value, chunk->value, documents);
  column.chunks.push_back(std::move(chunk));
}

}  // namespace

bool is_arrow(nb::handle object) {
  return nb::hasattr(object, "__arrow_c_stream__") || nb::hasattr(object, "__arrow_c_array__");
}

std::unique_ptr<ArrowColumn> read_arrow(nb::handle object, Documents& documents) {
  auto column = std::make_unique<Column>();
  if (nb::hasattr(object, "__arrow_c_stream__")) {
    read_stream(object, *column, documents);
  } else {
    read_array(object, *column, documents);
  }
  return column;
}

}  // namespace wordrow
