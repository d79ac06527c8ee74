//! Structures, numbers and calls of `linux/videodev2.h` and `linux/v4l2-controls.h`, as far as an
//! encoder needs them. A test compares them with the header itself.

use nix::libc::timeval;
use std::os::fd::RawFd;

pub(crate) const CAP_VIDEO_M2M: u32 = 0x8000;
pub(crate) const CAP_VIDEO_M2M_MPLANE: u32 = 0x4000;
pub(crate) const CAP_STREAMING: u32 = 0x0400_0000;
pub(crate) const CAP_DEVICE_CAPS: u32 = 0x8000_0000;

pub(crate) const BUF_TYPE_VIDEO_CAPTURE: u32 = 1;
pub(crate) const BUF_TYPE_VIDEO_OUTPUT: u32 = 2;
pub(crate) const BUF_TYPE_VIDEO_CAPTURE_MPLANE: u32 = 9;
pub(crate) const BUF_TYPE_VIDEO_OUTPUT_MPLANE: u32 = 10;

pub(crate) const MEMORY_MMAP: u32 = 1;
pub(crate) const MEMORY_DMABUF: u32 = 4;

pub(crate) const FIELD_NONE: u32 = 1;
pub(crate) const COLORSPACE_REC709: u32 = 3;
pub(crate) const XFER_FUNC_709: u32 = 1;
pub(crate) const YCBCR_ENC_709: u32 = 2;
pub(crate) const QUANTIZATION_LIM_RANGE: u32 = 2;
/// The fields after `priv` of `struct v4l2_pix_format` are filled in.
pub(crate) const PIX_FMT_PRIV_MAGIC: u32 = 0xFEED_CAFE;

pub(crate) const CTRL_FLAG_DISABLED: u32 = 1;
pub(crate) const BUF_FLAG_KEYFRAME: u32 = 0x8;
pub(crate) const BUF_FLAG_ERROR: u32 = 0x40;
pub(crate) const SEL_TGT_CROP: u32 = 0;

#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Capability {
    pub(crate) driver: [u8; 16],
    pub(crate) card: [u8; 32],
    pub(crate) bus_info: [u8; 32],
    pub(crate) version: u32,
    pub(crate) capabilities: u32,
    pub(crate) device_caps: u32,
    pub(crate) reserved: [u32; 3],
}

#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct FmtDesc {
    pub(crate) index: u32,
    pub(crate) kind: u32,
    pub(crate) flags: u32,
    pub(crate) description: [u8; 32],
    pub(crate) pixelformat: u32,
    pub(crate) mbus_code: u32,
    pub(crate) reserved: [u32; 3],
}

#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct PixFormat {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) pixelformat: u32,
    pub(crate) field: u32,
    pub(crate) bytesperline: u32,
    pub(crate) sizeimage: u32,
    pub(crate) colorspace: u32,
    pub(crate) priv_: u32,
    pub(crate) flags: u32,
    pub(crate) ycbcr_enc: u32,
    pub(crate) quantization: u32,
    pub(crate) xfer_func: u32,
}

#[repr(C, packed)]
#[derive(Clone, Copy)]
pub(crate) struct PlanePixFormat {
    pub(crate) sizeimage: u32,
    pub(crate) bytesperline: u32,
    pub(crate) reserved: [u16; 6],
}

#[repr(C, packed)]
#[derive(Clone, Copy)]
pub(crate) struct PixFormatMplane {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) pixelformat: u32,
    pub(crate) field: u32,
    pub(crate) colorspace: u32,
    pub(crate) plane_fmt: [PlanePixFormat; 8],
    pub(crate) num_planes: u8,
    pub(crate) flags: u8,
    pub(crate) ycbcr_enc: u8,
    pub(crate) quantization: u8,
    pub(crate) xfer_func: u8,
    pub(crate) reserved: [u8; 7],
}

/// 200 bytes, aligned like a pointer, because another of its members holds one.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) union FormatUnion {
    pub(crate) pix: PixFormat,
    pub(crate) pix_mp: PixFormatMplane,
    pub(crate) raw: [usize; 200 / size_of::<usize>()],
}

#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Format {
    pub(crate) kind: u32,
    pub(crate) fmt: FormatUnion,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct StreamParm {
    pub(crate) kind: u32,
    pub(crate) capability: u32,
    pub(crate) outputmode: u32,
    /// Seconds between two frames: a fraction.
    pub(crate) numerator: u32,
    pub(crate) denominator: u32,
    pub(crate) rest: [u32; 46],
}

#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct QueryCtrl {
    pub(crate) id: u32,
    pub(crate) kind: u32,
    pub(crate) name: [u8; 32],
    pub(crate) minimum: i32,
    pub(crate) maximum: i32,
    pub(crate) step: i32,
    pub(crate) default_value: i32,
    pub(crate) flags: u32,
    pub(crate) reserved: [u32; 2],
}

#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Control {
    pub(crate) id: u32,
    pub(crate) value: i32,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct RequestBuffers {
    pub(crate) count: u32,
    pub(crate) kind: u32,
    pub(crate) memory: u32,
    pub(crate) capabilities: u32,
    pub(crate) flags: u8,
    pub(crate) reserved: [u8; 3],
}

#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Timecode {
    pub(crate) kind: u32,
    pub(crate) flags: u32,
    pub(crate) rest: [u8; 8],
}

#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) union BufferMemory {
    pub(crate) offset: u32,
    pub(crate) planes: *mut Plane,
    pub(crate) fd: i32,
    pub(crate) raw: usize,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Buffer {
    pub(crate) index: u32,
    pub(crate) kind: u32,
    pub(crate) bytesused: u32,
    pub(crate) flags: u32,
    pub(crate) field: u32,
    pub(crate) timestamp: timeval,
    pub(crate) timecode: Timecode,
    pub(crate) sequence: u32,
    pub(crate) memory: u32,
    pub(crate) m: BufferMemory,
    pub(crate) length: u32,
    pub(crate) reserved2: u32,
    pub(crate) request_fd: i32,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Plane {
    pub(crate) bytesused: u32,
    pub(crate) length: u32,
    pub(crate) m: PlaneMemory,
    pub(crate) data_offset: u32,
    pub(crate) reserved: [u32; 11],
}

#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) union PlaneMemory {
    pub(crate) mem_offset: u32,
    pub(crate) fd: RawFd,
    pub(crate) raw: usize,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Selection {
    pub(crate) kind: u32,
    pub(crate) target: u32,
    pub(crate) flags: u32,
    pub(crate) left: i32,
    pub(crate) top: i32,
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) reserved: [u32; 9],
}

nix::ioctl_read!(querycap, b'V', 0, Capability);
nix::ioctl_readwrite!(enum_fmt, b'V', 2, FmtDesc);
nix::ioctl_readwrite!(s_fmt, b'V', 5, Format);
nix::ioctl_readwrite!(reqbufs, b'V', 8, RequestBuffers);
nix::ioctl_readwrite!(querybuf, b'V', 9, Buffer);
nix::ioctl_readwrite!(qbuf, b'V', 15, Buffer);
nix::ioctl_readwrite!(dqbuf, b'V', 17, Buffer);
nix::ioctl_write_ptr!(streamon, b'V', 18, i32);
nix::ioctl_write_ptr!(streamoff, b'V', 19, i32);
nix::ioctl_readwrite!(s_parm, b'V', 22, StreamParm);
nix::ioctl_readwrite!(s_ctrl, b'V', 28, Control);
nix::ioctl_readwrite!(queryctrl, b'V', 36, QueryCtrl);
nix::ioctl_readwrite!(s_selection, b'V', 95, Selection);

// As the header has them on a 64-bit machine (the test below); on another one a wrong size would
// be another call, which the kernel refuses.
#[cfg(target_pointer_width = "64")]
const _: () = {
    assert!(size_of::<Capability>() == 104 && size_of::<FmtDesc>() == 64);
    assert!(size_of::<Format>() == 208 && size_of::<PixFormat>() == 48);
    assert!(size_of::<PixFormatMplane>() == 192 && size_of::<PlanePixFormat>() == 20);
    assert!(size_of::<StreamParm>() == 204 && size_of::<QueryCtrl>() == 68);
    assert!(size_of::<Control>() == 8 && size_of::<RequestBuffers>() == 20);
    assert!(size_of::<Buffer>() == 88 && size_of::<Plane>() == 64);
    assert!(size_of::<Selection>() == 64);
};

#[cfg(test)]
mod tests {
    use super::*;
    use std::mem::offset_of;
    use std::process::Command;

    /// Name in the header, and our figure.
    macro_rules! places {
        ($($ours:ident $($field:ident).* = $theirs:literal;)*) => {
            vec![$((concat!("offsetof(struct ", $theirs, ")"), offset_of!($ours, $($field).*))),*]
        };
    }

    macro_rules! sizes {
        ($($ours:ident = $theirs:literal;)*) => {
            vec![$((concat!("sizeof(struct ", $theirs, ")"), size_of::<$ours>())),*]
        };
    }

    /// A program in C says what the header says.
    #[test]
    fn sizes_places_and_numbers_are_those_of_the_header() {
        let mut ours = sizes! {
            Capability = "v4l2_capability";
            FmtDesc = "v4l2_fmtdesc";
            PixFormat = "v4l2_pix_format";
            PlanePixFormat = "v4l2_plane_pix_format";
            PixFormatMplane = "v4l2_pix_format_mplane";
            Format = "v4l2_format";
            StreamParm = "v4l2_streamparm";
            QueryCtrl = "v4l2_queryctrl";
            Control = "v4l2_control";
            RequestBuffers = "v4l2_requestbuffers";
            Buffer = "v4l2_buffer";
            Plane = "v4l2_plane";
            Selection = "v4l2_selection";
        };
        ours.extend(places! {
            Capability device_caps = "v4l2_capability, device_caps";
            FmtDesc pixelformat = "v4l2_fmtdesc, pixelformat";
            PixFormat xfer_func = "v4l2_pix_format, xfer_func";
            PixFormat priv_ = "v4l2_pix_format, priv";
            PlanePixFormat bytesperline = "v4l2_plane_pix_format, bytesperline";
            PixFormatMplane plane_fmt = "v4l2_pix_format_mplane, plane_fmt";
            PixFormatMplane num_planes = "v4l2_pix_format_mplane, num_planes";
            PixFormatMplane xfer_func = "v4l2_pix_format_mplane, xfer_func";
            Format fmt = "v4l2_format, fmt";
            StreamParm numerator = "v4l2_streamparm, parm.output.timeperframe.numerator";
            StreamParm denominator = "v4l2_streamparm, parm.output.timeperframe.denominator";
            QueryCtrl minimum = "v4l2_queryctrl, minimum";
            QueryCtrl flags = "v4l2_queryctrl, flags";
            RequestBuffers memory = "v4l2_requestbuffers, memory";
            Buffer timestamp = "v4l2_buffer, timestamp";
            Buffer memory = "v4l2_buffer, memory";
            Buffer m = "v4l2_buffer, m";
            Buffer length = "v4l2_buffer, length";
            Plane m = "v4l2_plane, m";
            Plane data_offset = "v4l2_plane, data_offset";
            Selection left = "v4l2_selection, r.left";
            Selection width = "v4l2_selection, r.width";
        });
        let numbers: &[(&str, u32)] = &[
            ("V4L2_CAP_VIDEO_M2M", CAP_VIDEO_M2M),
            ("V4L2_CAP_VIDEO_M2M_MPLANE", CAP_VIDEO_M2M_MPLANE),
            ("V4L2_CAP_STREAMING", CAP_STREAMING),
            ("V4L2_CAP_DEVICE_CAPS", CAP_DEVICE_CAPS),
            ("V4L2_BUF_TYPE_VIDEO_CAPTURE", BUF_TYPE_VIDEO_CAPTURE),
            ("V4L2_BUF_TYPE_VIDEO_OUTPUT", BUF_TYPE_VIDEO_OUTPUT),
            ("V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE", BUF_TYPE_VIDEO_CAPTURE_MPLANE),
            ("V4L2_BUF_TYPE_VIDEO_OUTPUT_MPLANE", BUF_TYPE_VIDEO_OUTPUT_MPLANE),
            ("V4L2_MEMORY_MMAP", MEMORY_MMAP),
            ("V4L2_MEMORY_DMABUF", MEMORY_DMABUF),
            ("V4L2_FIELD_NONE", FIELD_NONE),
            ("V4L2_COLORSPACE_REC709", COLORSPACE_REC709),
            ("V4L2_XFER_FUNC_709", XFER_FUNC_709),
            ("V4L2_YCBCR_ENC_709", YCBCR_ENC_709),
            ("V4L2_QUANTIZATION_LIM_RANGE", QUANTIZATION_LIM_RANGE),
            ("V4L2_PIX_FMT_PRIV_MAGIC", PIX_FMT_PRIV_MAGIC),
            ("V4L2_CTRL_FLAG_DISABLED", CTRL_FLAG_DISABLED),
            ("V4L2_BUF_FLAG_KEYFRAME", BUF_FLAG_KEYFRAME),
            ("V4L2_BUF_FLAG_ERROR", BUF_FLAG_ERROR),
            ("V4L2_SEL_TGT_CROP", SEL_TGT_CROP),
        ];
        ours.extend(numbers.iter().map(|&(name, number)| (name, number as usize)));
        let said = said_by_the_header(ours.iter().map(|(name, _)| *name));
        assert_eq!(ours.iter().map(|(_, value)| *value as u64).collect::<Vec<_>>(), said);
    }

    fn said_by_the_header<'a>(names: impl Iterator<Item = &'a str>) -> Vec<u64> {
        let folder = tempfile::tempdir().unwrap();
        let (source, program) = (folder.path().join("a.c"), folder.path().join("a"));
        let lines: String = names
            .map(|name| format!("printf(\"%llu\\n\", (unsigned long long)({name}));\n"))
            .collect();
        let text = format!(
            "#include <stddef.h>\n#include <stdio.h>\n#include <linux/videodev2.h>\n\
             int main(void) {{ {lines} return 0; }}\n"
        );
        std::fs::write(&source, text).unwrap();
        let built = Command::new("cc").arg(&source).arg("-o").arg(&program).status().unwrap();
        assert!(built.success());
        let said = Command::new(&program).output().unwrap();
        let said = String::from_utf8(said.stdout).unwrap();
        said.lines().map(|line| line.parse().unwrap()).collect()
    }
}
