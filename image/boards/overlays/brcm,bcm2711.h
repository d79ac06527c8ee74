// Raspberry Pi 4 and 400. The camera's bus is the second of I2C0's, GPIO44 and 45.
#define HEADER_BUS i2c1
#define HEADER_PWM_PINS <&pwm0_0_gpio12 &pwm0_1_gpio13>
#define CAMERA_BUS i2c0_1
#define CAMERA_RECEIVER csi1
#define CAMERA_POWER cam1_reg
